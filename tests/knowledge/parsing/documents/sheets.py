"""Random workbooks: merged cells, several sheets, cells that show more than their value."""

import re
from collections.abc import Callable, Sequence

from tests.fakes import files
from tests.fakes.grids import letter
from tests.knowledge.parsing.documents.marks import Marks, RandomTable, Written


def workbook(seed: int) -> Written:
    """Return an Excel file: tables with merged cells on several sheets."""
    written = Written("random.xlsx")
    marks = Marks(seed, written)
    sheets, merges = {}, {}
    for _ in range(marks.chance.randrange(1, 4)):
        table, name = marks.table(), f"Sheet {marks.mark()}"
        sheets[name] = _sheet(table)
        merges[name] = [f"A{first + 2}:A{first + 1 + count}" for first, count in table.down]
        last = len(table.header) - 1
        merges[name] += [f"{letter(last - 1)}{r + 2}:{letter(last)}{r + 2}" for r in table.across]
    written.content = files.workbook(sheets, merged=merges)
    return written


def _sheet(table: RandomTable) -> str:
    rows = [[*table.header], *map(list, table.rows)]
    for number, row in enumerate(rows[1:]):
        if not table.starts_down(number):
            row[0] = ""
        if number in table.across:
            row[-1] = ""
    return "".join(
        f'<row r="{n}">'
        + "".join(_sheet_cell(f"{letter(c)}{n}", value) for c, value in enumerate(row) if value)
        + "</row>"
        for n, row in enumerate(rows, 1)
    )


def _sheet_cell(place: str, value: str) -> str:
    if value.isdecimal():
        return f'<c r="{place}"><v>{value}</v></c>'
    return f'<c r="{place}" t="inlineStr"><is><t>{value}</t></is></c>'


def number_formats(seed: int) -> Written:
    """Return an Excel file whose cells show more than their value."""
    written = Written("formats.xlsx")
    marks = Marks(seed, written)
    rows = []
    for number in range(1, 9):
        key, cells, shown = marks.mark(), [], []
        for column, (_, make) in enumerate(NUMBER_FORMATS):
            value, pattern, runs = make(marks.chance.randrange(1, 10_000))
            cells.append(f'<c r="{letter(column + 1)}{number}" s="{column + 4}"><v>{value}</v></c>')
            shown.append(pattern)
            written.runs.update(runs)
        rows.append(f'<row r="{number}"><c r="A{number}"><v>{key}</v></c>{"".join(cells)}</row>')
        written.rows.append((key, (key, *shown)))
    codes = [code for code, _ in NUMBER_FORMATS]
    written.content = files.workbook({"Formats": "".join(rows)}, codes=codes)
    return written


ShownAs = tuple[
    str, str, set[str]
]  # value in the file, pattern of what is shown, its runs of digits


def _coded(n: int) -> ShownAs:
    return str(n), rf"(?<!\d){n:06}(?!\d)", {f"{n:06}"}


def _money(sign: str) -> Callable[[int], ShownAs]:
    def make(n: int) -> ShownAs:
        whole, cents = divmod(n * 137, 100)
        parts = re.findall(r"\d+", f"{whole:,}.{cents:02}")
        amount = rf"{whole // 1000}[,.]?{whole % 1000:03}" if whole >= 1000 else str(whole)
        amount += rf"[.,]{cents:02}"
        pattern = rf"({sign} ?{amount}|{amount} ?{sign})(?!\d)"
        return f"{n * 1.37:.2f}", pattern, {*parts, str(whole)}

    return make


def _share(n: int) -> ShownAs:
    tenths = n % 1000
    shown = f"{tenths // 10}.{tenths % 10}"
    return f"{tenths / 1000:.3f}", rf"(?<!\d){re.escape(shown)} ?%", set(shown.split("."))


def _kilos(n: int) -> ShownAs:
    shown = f"{n}.50"
    return f"{n}.5", rf"(?<!\d){re.escape(shown)} ?kg", {str(n), "50"}


def _hours(n: int) -> ShownAs:
    hours, minutes = n % 300 + 24, n % 60
    shown = f"{hours}:{minutes:02}"
    days = (hours * 60 + minutes) / 1440
    return repr(days), rf"(?<!\d){shown}(?!\d)", {str(hours), f"{minutes:02}"}


def _postcode(n: int) -> ShownAs:
    value = 12_340_000 + n
    shown = f"{value // 10_000:05}-{value % 10_000:04}"
    return str(value), rf"(?<!\d){shown}(?!\d)", set(shown.split("-"))


NUMBER_FORMATS: Sequence[tuple[str, Callable[[int], ShownAs]]] = (
    ("000000", _coded),
    ("[$€-407]#,##0.00", _money("€")),
    ('"$"#,##0.00', _money(r"\$")),
    ("0.0%", _share),
    ('0.00" kg"', _kilos),
    ("[h]:mm", _hours),
    ("00000\\-0000", _postcode),
)
