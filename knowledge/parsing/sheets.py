"""Excel: the visible sheets, row by row, with the values that the program computed last.

It knows cells, shared strings and number formats; formulas and hidden sheets are left out.
"""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from knowledge.parsing.limits import ParseLimits
from knowledge.parsing.package import SKIPPED, Package
from knowledge.parsing.writer import BlockWriter, too_much_text
from knowledge.parsing.xml import Event

SKIPPED_IN_CELLS = {"rPh", "f"}  # how to pronounce it, how it was computed
MAX_COLUMNS = 16_384  # Excel's own
EPOCH, EPOCH_1904 = datetime(1899, 12, 30), datetime(1904, 1, 1)
DATE_FORMATS = {*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)}  # ECMA-376 18.8.30
PERCENT_FORMATS = {9, 10}
_NOT_FORMAT = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.')
_COLUMN = re.compile(r"[A-Z]{1,3}")


class _Cells:
    """What the cells of a workbook mean: shared strings, number formats, first day."""

    def __init__(self, package: Package, limits: ParseLimits) -> None:
        self._strings = _shared_strings(package, limits)
        self._formats = _number_formats(package)
        self.epoch = EPOCH

    def text(self, value: str, kind: str, style: str) -> str:
        """Return what a reader sees in a cell."""
        if kind == "s":
            place = int(value) if value.isdecimal() else -1
            return self._strings[place] if 0 <= place < len(self._strings) else ""
        if kind == "b":
            return {"1": "TRUE", "0": "FALSE"}.get(value, value)
        if kind != "n":
            return value
        place = int(style) if style.isdecimal() else 0
        number_format = self._formats[place] if place < len(self._formats) else ""
        return _number_text(value, number_format, self.epoch)


def read_sheets(writer: BlockWriter, package: Package, limits: ParseLimits) -> None:
    """Add the sheets of a workbook, each under its name.

    Raises:
        DamagedFile, PasswordRequired, ParseLimitExceeded: As they say.
    """
    package.skipped = SKIPPED | SKIPPED_IN_CELLS
    targets = package.targets(package.main)
    cells = _Cells(package, limits)
    for kind, name, attributes in package.events(package.main):
        if kind != "start":
            continue
        if name == "workbookPr" and attributes.get("date1904") in ("1", "true"):
            cells.epoch = EPOCH_1904
        related, part = targets.get(attributes.get("r:id", ""), ("", ""))
        is_hidden = attributes.get("state", "visible") != "visible"
        if name == "sheet" and related == "worksheet" and not is_hidden:
            writer.start_sheet(attributes.get("name", ""))
            writer.begin_table()
            _add_rows(writer, package.events(part), cells)
            writer.end_table()


def _add_rows(blocks: BlockWriter, flow: Iterator[Event], cells: _Cells) -> None:
    """Add the rows of a sheet."""
    cell: dict[str, str] = {}
    value: list[str] = []
    in_value = False
    column = 0
    for kind, name, attributes in flow:
        if kind == "text":
            value += [name] if in_value else []
        elif name in ("v", "t"):
            in_value = kind == "start"
        elif (kind, name) == ("start", "row"):
            column = 0
            blocks.begin_row()
        elif name == "row":
            blocks.end_row()
        elif (kind, name) == ("start", "c"):
            cell = dict(attributes)
            value.clear()
        elif name == "c":
            text = cells.text("".join(value), cell.get("t", "n"), cell.get("s", "0"))
            if text:
                column = _add_cell(blocks, text, column, cell.get("r", ""))


def _add_cell(blocks: BlockWriter, text: str, column: int, reference: str) -> int:
    """Add a cell in its column and return the column after it."""
    place = _column(reference, column)
    blocks.skip_to(place)
    blocks.cell(text)
    return place + 1


def _shared_strings(package: Package, limits: ParseLimits) -> list[str]:
    strings: list[str] = []
    words: list[str] = []
    for part in package.related(package.main, ("sharedStrings",)):
        in_text = False
        for kind, name, _ in package.events(part):
            if kind == "text" and in_text:
                words.append(name)
            elif name == "t":
                in_text = kind == "start"
            elif name == "si" and kind == "end":
                strings.append("".join(words))
                words.clear()
    if sum(map(len, strings)) > limits.chars:
        raise too_much_text(limits.chars)
    return strings


def _number_formats(package: Package) -> list[str]:
    """Return for each cell style what its numbers are: `date`, `percent` or nothing."""
    custom: dict[str, str] = {}
    kinds: list[str] = []
    in_cells = False
    for part in package.related(package.main, ("styles",)):
        for kind, name, attributes in package.events(part):
            number = attributes.get("numFmtId", "0")
            if name == "cellXfs":
                in_cells = kind == "start"
            elif kind == "start" and name == "numFmt":
                custom[number] = _custom_format(attributes.get("formatCode", ""))
            elif kind == "start" and name == "xf" and in_cells:
                kinds.append(custom.get(number) or _built_in_format(number))
    return kinds


def _custom_format(code: str) -> str:
    letters = _NOT_FORMAT.sub("", code).lower().replace("general", "")
    if any(letter in letters for letter in "ymdhs"):
        return "date"
    return "percent" if "%" in letters else ""


def _built_in_format(number: str) -> str:
    known = int(number) if number.isdecimal() else 0
    return "date" if known in DATE_FORMATS else "percent" if known in PERCENT_FORMATS else ""


def _column(reference: str, following: int) -> int:
    """Return the place of a cell in its row, from 0."""
    letters = _COLUMN.match(reference)
    if letters is None:
        return following
    place = 0
    for letter in letters[0]:
        place = place * 26 + ord(letter) - ord("A") + 1
    return max(min(place - 1, MAX_COLUMNS - 1), following)


def _number_text(value: str, kind: str, epoch: datetime) -> str:
    """Return a number as a reader sees it: a day, a share, or 15 digits as Excel shows them."""
    try:
        number = float(value)
        if kind == "date":
            moment = epoch + timedelta(seconds=round(number * 86_400))
            if 0 <= number < 1:
                return moment.strftime("%H:%M:%S")
            return moment.strftime("%Y-%m-%d" if number.is_integer() else "%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError):
        return value
    if kind == "percent":
        return f"{number * 100:.10g}%"
    return value if value.lstrip("-").isdecimal() else f"{number:.15g}"
