"""Random files of plain text: CSV, Markdown, JSON."""

import json

from tests.knowledge.parsing.documents.marks import Marks, Written


def separated(seed: int) -> Written:
    """Return a CSV file: quoted cells, line breaks and separators in them, empty ones."""
    written = Written("random.csv")
    marks = Marks(seed, written)
    separator, table = marks.chance.choice(",;\t"), marks.table(merged=False)
    quoted = ["{0}", '"{0}"', '" {0} "', '"{0}, with ""quotes"""', '"{0}\nand more"']
    lines = [separator.join(table.header)]
    lines += [
        separator.join(marks.chance.choice(quoted).format(cell) for cell in row)
        for row in table.rows
    ]
    written.content = marks.chance.choice(["\n", "\r\n"]).join(lines).encode()
    return written


def markdown(seed: int) -> Written:
    """Return a Markdown file: headings, numbered lists, a table."""
    written = Written("random.md")
    marks = Marks(seed, written)
    table, start = marks.table(merged=False), marks.chance.randrange(1, 9)
    rows = ["| " + " | ".join(row) + " |" for row in (table.header, *table.rows)]
    rows.insert(1, "|" + " --- |" * len(table.header))
    items = [f"{n}. item {item}" for n, item in enumerate(marks.listed(start), start)]
    parts = [f"# Part {marks.mark()}", "\n".join(items), "\n".join(rows), f"Ends {marks.mark()}"]
    written.content = "\n\n".join(parts).encode()
    return written


def records(seed: int) -> Written:
    """Return a JSON file of records, some of them nested."""
    written = Written("random.json")
    marks = Marks(seed, written)
    rows = [
        {
            "number": int(marks.mark()),
            "price": float(f"{marks.mark()}.{marks.figure()}"),
            "note": f"part {marks.mark()}",
            "sizes": [int(marks.mark()), int(marks.mark())],
            "more": {"shelf": marks.mark(), "row": int(marks.mark())},
        }
        for _ in range(marks.chance.randrange(2, 9))
    ]
    written.content = json.dumps(rows).encode()
    return written
