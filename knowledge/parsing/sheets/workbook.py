"""Excel: the visible sheets, with what a reader sees in each cell.

It knows workbooks, cells, shared strings and styles; how numbers are shown is in `number_formats`,
what is a table in `tables`. Of formulas the value last computed is read. Comments, pictures
and charts, hidden sheets, rows and columns are left out, and told.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from knowledge.parsing.limits import ParseLimits
from knowledge.parsing.package import SKIPPED, Package
from knowledge.parsing.sheets.number_formats import NumberFormat, built_in, general
from knowledge.parsing.sheets.tables import Area, Sheet, SheetRow, write_tables
from knowledge.parsing.writer import BlockWriter, too_much_text
from knowledge.parsing.xml import Event

SKIPPED_IN_CELLS = {"rPh"}  # how to pronounce it
MAX_COLUMNS, MAX_ROWS = 16_384, 1_048_576  # Excel's own
TRUE = ("1", "true")
TOLD_PLACES = 8  # cells or rows that are named; more are counted
NUMBERS_KEPT = 20_000  # as they are shown: days and prices come again and again
DRAWN = {"pic": "picture", "graphicFrame": "chart", "txBody": "text box"}
_AREA = re.compile(r"\$?([A-Z]{1,3})\$?(\d{1,7})(?::\$?([A-Z]{1,3})\$?(\d{1,7}))?")
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")


def read_sheets(writer: BlockWriter, package: Package, limits: ParseLimits) -> None:
    """Add the sheets of a workbook, each under its name.

    Raises:
        DamagedFile, PasswordRequired, ParseLimitExceeded: As they say.
    """
    package.skipped = SKIPPED | SKIPPED_IN_CELLS
    targets = package.targets(package.main)
    sheets: list[Mapping[str, str]] = []
    starts_1904 = False
    for kind, name, attributes in package.events(package.main):
        if kind == "start" and name == "workbookPr":
            starts_1904 = attributes.get("date1904") in TRUE
        elif kind == "start" and name == "sheet":
            sheets.append(attributes)
    cells = _Cells(package, limits, starts_1904=starts_1904)
    for sheet in sheets:
        related, part = targets.get(sheet.get("r:id", ""), ("", ""))
        title = sheet.get("name", "")
        if sheet.get("state", "visible") != "visible":
            writer.leave_out("sheet", title, "it is hidden")
        elif related == "worksheet":
            _read_sheet(writer, package, part, _Reading(title, cells, limits))
        else:
            writer.leave_out("sheet", title, "it has no cells: a chart, or a macro")


def _read_sheet(writer: BlockWriter, package: Package, part: str, reading: "_Reading") -> None:
    """Add a sheet, then tell what of it was left out."""
    writer.start_sheet(reading.title)
    reading.read(package.events(part))
    for table in package.related(part, ("table",)):
        reading.add_table(package.events(table))
    write_tables(writer, reading.sheet)
    reading.tell(writer)
    for comments in package.related(part, ("comments",)):
        events = package.events(comments)
        places = [e.attributes.get("ref", "") for e in events if e[:2] == ("start", "comment")]
        writer.leave_out("comment", f"{reading.title}, {_some(places)}", "comments are not read")
    for drawing in package.related(part, ("drawing",)):
        drawn = Counter(e.name for e in package.events(drawing) if e.kind == "start")
        for name, what in DRAWN.items():
            if count := drawn[name]:
                writer.leave_out(f"{what}", reading.title, f"{count} not read: only cells are")
    for _ in package.related(part, ("pivotTable",)):
        writer.leave_out("pivot table", reading.title, "read as shown, without what it counts")


class _Words:
    """The words of a string, whose runs may stand above or below the line."""

    def __init__(self, limits: ParseLimits) -> None:
        self._writer = BlockWriter(limits.chars)
        self._runs: list[str] = []
        self._places: dict[int, str] = {}  # run → how it stands, where not on the line
        self.place = ""

    def add(self, words: str) -> None:
        """Add words of the run."""
        if self.place:
            self._places[len(self._runs)] = self.place
        self._runs.append(words)

    def take(self) -> str:
        """Return the words and begin the next string."""
        text = self._placed() if self._places else "".join(self._runs)
        self._runs.clear()
        self._places.clear()
        self.place = ""
        return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text

    def _placed(self) -> str:
        self._writer.push()
        ways = {"superscript": self._writer.raised, "subscript": self._writer.lowered}
        for run, words in enumerate(self._runs):
            ways.get(self._places.get(run, ""), self._writer.text)(words)
        return " ".join(getattr(block, "text", "") for block in self._writer.pop())


class _Cells:
    """What the cells of a workbook mean: shared strings, number formats, bold letters."""

    def __init__(self, package: Package, limits: ParseLimits, *, starts_1904: bool) -> None:
        self._strings = _shared_strings(package, limits)
        self.bold: set[str] = set()
        self._formats: dict[str, NumberFormat] = {}
        for part in package.related(package.main, ("styles",)):
            self._read_styles(package.events(part), starts_1904=starts_1904)
        self._number = lru_cache(maxsize=NUMBERS_KEPT)(self._number_text)

    def text(self, value: str, kind: str, style: str) -> str:
        """Return what a reader sees in a cell."""
        if kind == "n":
            return self._number(value, style)
        if kind == "s":
            place = int(value) if value.isdecimal() else -1
            value = self._strings[place] if 0 <= place < len(self._strings) else ""
        elif kind == "b":
            return {"1": "TRUE", "0": "FALSE"}.get(value, value)
        form = self._formats.get(style)
        return form.words(value) if form and value else value

    def _number_text(self, value: str, style: str) -> str:
        form = self._formats.get(style)
        return form.number(value) if form and value else general(value)

    def _read_styles(self, flow: Iterator[Event], *, starts_1904: bool) -> None:
        codes: dict[str, str] = {}
        fonts: list[bool] = []  # is it bold
        around = ""
        styles = 0
        for kind, name, attributes in flow:
            if name in ("fonts", "cellXfs"):
                around = name if kind == "start" else ""
            elif kind != "start":
                continue
            elif name == "numFmt":
                codes[attributes.get("numFmtId", "")] = attributes.get("formatCode", "")
            elif name == "font" and around == "fonts":
                fonts.append(False)
            elif name == "b" and around == "fonts" and fonts:
                fonts[-1] = attributes.get("val", "1") in TRUE
            elif name == "xf" and around == "cellXfs":
                number, font = attributes.get("numFmtId", "0"), _whole(attributes.get("fontId"))
                form = (
                    NumberFormat(codes[number], starts_1904=starts_1904)
                    if number in codes
                    else built_in(_whole(number), starts_1904=starts_1904)
                )
                self._formats |= {str(styles): form} if form else {}
                self.bold |= {str(styles)} if fonts[font : font + 1] == [True] else set()
                styles += 1


class _Reading:
    """Reads the part of one sheet."""

    def __init__(self, title: str, cells: _Cells, limits: ParseLimits) -> None:
        self.title = title
        self._cells = cells
        self._limits = limits
        self._left = limits.chars
        self._words = _Words(limits)
        self._has_formula = False
        self._row, self._is_hidden, self._column = SheetRow(0, {}), False, 0
        self._hidden_rows: list[SheetRow] = []
        self._places: dict[tuple[str, str], list[str]] = {}  # (what, why) → cells
        self.sheet = Sheet(limits.chars)

    def read(self, flow: Iterator[Event]) -> None:
        """Read it all."""
        cell: Mapping[str, str] = {}
        in_value = False
        for kind, name, attributes in flow:
            if kind == "text":
                if in_value:
                    self._words.add(name)
            elif name in ("v", "t"):
                in_value = kind == "start"
            elif kind == "start":
                if name == "c":
                    cell = attributes
                else:
                    self._note(name, attributes)
            elif name == "c":
                self._end_cell(cell)
            elif name == "row" and self._row.cells:
                (self._hidden_rows if self._is_hidden else self.sheet.rows).append(self._row)

    def add_table(self, flow: Iterator[Event]) -> None:
        """Add what the part of a table says: where it is and how many rows name its columns."""
        for kind, name, attributes in flow:
            if (kind, name) == ("start", "table"):
                rows = attributes.get("headerRowCount", "1")
                areas = _areas(attributes.get("ref", ""))
                self.sheet.tables += [(area, _whole(rows)) for area in areas]

    def tell(self, writer: BlockWriter) -> None:
        """Tell what was not read."""
        if self._hidden_rows:
            rows = _ranges((row.number, str(row.number)) for row in self._hidden_rows)
            writer.leave_out("rows", f"{self.title}, {rows}", "they are hidden")
        if columns := self.sheet.hidden_columns & self.sheet.left_out_columns:
            names = _ranges((column, _letters_of(column)) for column in sorted(columns))
            writer.leave_out("columns", f"{self.title}, {names}", "they are hidden")
        for (what, why), places in self._places.items():
            writer.leave_out(what, f"{self.title}, {_some(places)}", why)

    def _end_cell(self, cell: Mapping[str, str]) -> None:
        """Add a cell to its row."""
        kind, style, reference = cell.get("t", "n"), cell.get("s", "0"), cell.get("r", "")
        value = self._words.take()
        column = max(_column(reference, self._column), self._column)
        self._column = column + 1
        if self._has_formula and not value and kind != "str":
            self._note_place("formula", "its value was never computed", reference)
        self._has_formula = False
        if kind == "e" and value:
            self._note_place("value", f"its formula fails: {value}", reference)
        text = self._cells.text(value, kind, style).strip()
        if text and column in self.sheet.hidden_columns:
            self.sheet.left_out_columns.add(column)
        elif text:
            self._left -= len(text)
            if self._left < 0:
                raise too_much_text(self._limits.chars)
            self._row.cells[column] = text
            self._row.is_bold = self._row.is_bold and style in self._cells.bold

    def _note_place(self, what: str, why: str, place: str) -> None:
        self._places.setdefault((what, why[:80]), []).append(place)

    def _note(self, name: str, attributes: Mapping[str, str]) -> None:
        """Note what is said around the cells, or inside one."""
        match name:
            case "row":
                number = _whole(attributes.get("r")) or self._row.number + 1
                self._row, self._column = SheetRow(number, {}), 0
                self._is_hidden = attributes.get("hidden") in TRUE
            case "f":
                self._has_formula = True
            case "r":
                self._words.place = ""
            case "vertAlign":
                self._words.place = attributes.get("val", "")
            case "mergeCell":
                self.sheet.merged += _areas(attributes.get("ref", ""))
            case "autoFilter":
                areas = _areas(attributes.get("ref", ""))
                self.sheet.header_ends += [area.top for area in areas]
            case "pane" if attributes.get("state", "").startswith("frozen"):
                self.sheet.header_ends.append(_whole(attributes.get("ySplit", "").split(".")[0]))
            case "col" if attributes.get("hidden") in TRUE:
                first, last = _whole(attributes.get("min")), _whole(attributes.get("max"))
                self.sheet.hidden_columns.update(range(first - 1, min(last, MAX_COLUMNS)))


def _shared_strings(package: Package, limits: ParseLimits) -> list[str]:
    strings: list[str] = []
    words = _Words(limits)
    left = limits.chars
    for part in package.related(package.main, ("sharedStrings",)):
        in_text = False
        for kind, name, attributes in package.events(part):
            if kind == "text":
                if in_text:
                    words.add(name)
            elif name == "t":
                in_text = kind == "start"
            elif name == "si" and kind == "end":
                strings.append(words.take())
                left -= len(strings[-1])
                if left < 0:
                    raise too_much_text(limits.chars)
            elif name == "r":
                words.place = ""
            elif name == "vertAlign" and kind == "start":
                words.place = attributes.get("val", "")
    return strings


@lru_cache(maxsize=MAX_COLUMNS)
def _column_of(letters: str) -> int:
    place = 0
    for letter in letters:
        place = place * 26 + ord(letter) - ord("A") + 1
    return min(place, MAX_COLUMNS) - 1


def _column(reference: str, following: int) -> int:
    """Return the place of a cell in its row, from 0."""
    letters = reference.rstrip("0123456789")
    return _column_of(letters) if letters.isascii() and letters.isupper() else following


def _areas(reference: str) -> list[Area]:
    """Return the areas a reference names, `A2:C9`."""
    found = _AREA.fullmatch(reference)
    if found is None:
        return []
    left, top = _column_of(found[1]), int(found[2])
    right = _column_of(found[3]) if found[3] else left
    bottom = min(int(found[4]), MAX_ROWS) if found[4] else top
    return [Area(top, left, bottom, right)]


def _whole(value: str | None) -> int:
    return int(value) if value and value.isdecimal() and len(value) < 10 else 0


def _letters_of(column: int) -> str:
    """Return the name of a column, `A` for 0."""
    high, low = divmod(column, 26)
    return (_letters_of(high - 1) if high else "") + chr(ord("A") + low)


def _ranges(names: Iterable[tuple[int, str]]) -> str:
    """Return numbered names in order as ranges: `3-5, 9`."""
    runs: list[list[str]] = []
    before = -1
    for number, name in names:
        if number == before + 1 and runs:
            runs[-1][1:] = [name]
        else:
            runs.append([name])
        before = number
    return _some(["-".join(run) for run in runs])


def _some(places: list[str]) -> str:
    more = len(places) - TOLD_PLACES
    return ", ".join(places[:TOLD_PLACES]) + (f" and {more} more" if more > 0 else "")
