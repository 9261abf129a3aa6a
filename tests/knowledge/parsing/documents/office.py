"""Random Word and PowerPoint files: raised figures, numbered lists, merged cells."""

from collections.abc import Iterator

from tests.fakes import files
from tests.knowledge.parsing.documents.marks import Marks, RandomTable, Written


def word(seed: int) -> Written:
    """Return a Word file: raised and lowered figures, numbered lists, tables with merged cells."""
    written = Written("random.docx")
    marks = Marks(seed, written)
    (number, figure), (index, after) = marks.raised(), marks.lowered()
    body = [
        f"<w:p>{_run(f'Holds {number}')}{_run(figure, 'superscript')}{_run(' litres.')}</w:p>",
        f"<w:p>{_run('Speed x')}{_run(index, 'subscript')}{_run(f'{after} m.')}</w:p>",
        *_word_list(marks),
        _word_table(marks.table()),
        f"<w:p>{_run(f'Ends with {marks.mark()}')}</w:p>",
        f"<w:p>{_run(f'{marks.mark()} begins.')}</w:p>",
        _word_table(marks.table()),
    ]
    marks.chance.shuffle(body[:2])
    parts = files.word_parts("".join(body))
    parts["word/_rels/document.xml.rels"] = files.relations(
        {"r1": ("styles", "styles.xml"), "r2": ("numbering", "numbering.xml")}
    )
    parts["word/numbering.xml"] = (
        f'<w:numbering xmlns:w="{files.W}"><w:abstractNum w:abstractNumId="0"><w:lvl w:ilvl="0">'
        '<w:start w:val="1"/><w:numFmt w:val="decimal"/><w:lvlText w:val="%1."/></w:lvl>'
        '<w:lvl w:ilvl="1"><w:start w:val="1"/><w:numFmt w:val="decimal"/>'
        '<w:lvlText w:val="%1.%2"/></w:lvl>'
        '</w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num></w:numbering>'
    )
    written.content = files.zipped(parts)
    return written


def _word_list(marks: Marks) -> Iterator[str]:
    """Yield the items of a list on two levels."""
    for number in range(1, marks.chance.randrange(4, 13)):
        yield _word_item(marks.item(str(number)), 0)
        for below in range(1, marks.chance.choice([1, 1, 2, 4])):
            yield _word_item(marks.item(f"{number}.{below}"), 1)


def _word_item(item: str, level: int) -> str:
    numbered = f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="1"/></w:numPr>'
    return f"<w:p><w:pPr>{numbered}</w:pPr>{_run(f'item {item}')}</w:p>"


def _run(text: str, place: str = "") -> str:
    properties = f'<w:rPr><w:vertAlign w:val="{place}"/></w:rPr>' if place else ""
    return f'<w:r>{properties}<w:t xml:space="preserve">{text}</w:t></w:r>'


def _word_table(table: RandomTable) -> str:
    rows = ["".join(f"<w:tc>{files.paragraph(cell)}</w:tc>" for cell in table.header)]
    for number, row in enumerate(table.rows):
        span = table.starts_down(number)
        merge = {0: "<w:vMerge/>", 1: ""}.get(span, '<w:vMerge w:val="restart"/>')
        first = files.paragraph(row[0]) if span else "<w:p/>"
        cells = [f"<w:tc><w:tcPr>{merge}</w:tcPr>{first}</w:tc>"]
        wide = number in table.across
        cells += [f"<w:tc>{files.paragraph(cell)}</w:tc>" for cell in row[1 : -2 if wide else None]]
        if wide:
            spanned = '<w:tcPr><w:gridSpan w:val="2"/></w:tcPr>'
            cells.append(f"<w:tc>{spanned}{files.paragraph(row[-1])}</w:tc>")
        rows.append("".join(cells))
    return "<w:tbl>" + "".join(f"<w:tr>{row}</w:tr>" for row in rows) + "</w:tbl>"


def slides(seed: int) -> Written:
    """Return a PowerPoint file: raised figures, numbered lists, tables with merged cells."""
    written = Written("random.pptx")
    marks = Marks(seed, written)
    bodies = []
    for _ in range(marks.chance.randrange(1, 4)):
        number, figure = marks.raised()
        raised = f'<a:r><a:rPr baseline="30000"/><a:t>{figure}</a:t></a:r>'
        start = marks.chance.randrange(1, 5)
        numbered = f'<a:pPr><a:buAutoNum type="arabicPeriod" startAt="{start}"/></a:pPr>'
        paragraphs = [
            f"<a:p>{_slide_run(f'Holds {number}')}{raised}{_slide_run(' litres.')}</a:p>",
            *(f"<a:p>{numbered}{_slide_run(f'item {i}')}</a:p>" for i in marks.listed(start)),
            f"<a:p>{_slide_run(f'Ends with {marks.mark()}')}</a:p>",
        ]
        shape = f"<p:sp><p:txBody>{''.join(paragraphs)}</p:txBody></p:sp>"
        bodies.append(shape + _slide_table(marks.table()))
    written.content = files.slides_of(bodies)
    return written


def _slide_run(text: str) -> str:
    return f"<a:r><a:t>{text}</a:t></a:r>"


def _slide_table(table: RandomTable) -> str:
    def cell(text: str, attributes: str = "") -> str:
        return (
            f"<a:tc{attributes}><a:txBody><a:p><a:r><a:t>{text}</a:t></a:r></a:p></a:txBody></a:tc>"
        )

    rows = ["".join(map(cell, table.header))]
    for number, row in enumerate(table.rows):
        span = table.starts_down(number)
        cells = [cell(row[0], f' rowSpan="{span}"' if span > 1 else "")]
        if not span:
            cells = [cell("", ' vMerge="1"')]
        cells += map(cell, row[1:-2])
        if number in table.across:
            cells += [cell(row[-2], ' gridSpan="2"'), cell("", ' hMerge="1"')]
        else:
            cells += map(cell, row[-2:])
        rows.append("".join(cells))
    grid = "".join(f"<a:tr>{row}</a:tr>" for row in rows)
    return (
        "<p:graphicFrame><a:graphic><a:graphicData>"
        f"<a:tbl>{grid}</a:tbl></a:graphicData></a:graphic></p:graphicFrame>"
    )
