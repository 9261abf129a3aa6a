"""Excel: the visible sheets, with what a reader sees in each cell.

It knows workbooks, rows and cells; what a cell shows is in `cells`, what is a table in `tables`,
what stands around the cells in `surroundings`. Of formulas the value last computed is read. Hidden
sheets, rows and columns are left out, and told.
"""

import re
from collections.abc import Iterator, Mapping

from knowledge.parsing.limits import ParseLimits
from knowledge.parsing.package import SKIPPED, Package
from knowledge.parsing.sheets.cells import TRUE, Cells, whole
from knowledge.parsing.sheets.places import MAX_COLUMNS, areas, column, letters_of, ranges, some
from knowledge.parsing.sheets.surroundings import (
    FOOTERS,
    HEADERS,
    tell_surroundings,
    words_around,
)
from knowledge.parsing.sheets.tables import Sheet, SheetRow, write_tables
from knowledge.parsing.sheets.words import RUN_PROPERTIES, Words
from knowledge.parsing.words.links import address_beside
from knowledge.parsing.writer import BlockWriter, too_much_text
from knowledge.parsing.xml import Event

SKIPPED_IN_CELLS = {"rPh"}  # how to pronounce it
STALE = "it may be out of date: the file asks to be computed anew when opened"
HIDDEN = "they are hidden"
_LINK = re.compile(r'_?(?:xlfn\.)?HYPERLINK\(\s*"((?:[^"]|"")*)"\s*[,;)]', re.IGNORECASE)


def read_sheets(writer: BlockWriter, package: Package, limits: ParseLimits) -> None:
    """Add the sheets of a workbook, each under its name.

    Raises:
        DamagedFile, PasswordRequired, ParseLimitExceeded: As they say.
    """
    package.skipped = SKIPPED | SKIPPED_IN_CELLS
    targets = package.targets(package.main)
    sheets: list[Mapping[str, str]] = []
    starts_1904 = is_stale = False
    for kind, name, attributes in package.events(package.main):
        if kind == "start" and name == "workbookPr":
            starts_1904 = attributes.get("date1904") in TRUE
        elif kind == "start" and name == "calcPr":
            is_stale = attributes.get("fullCalcOnLoad") in TRUE
        elif kind == "start" and name == "sheet":
            sheets.append(attributes)
    cells = Cells(package, limits, starts_1904=starts_1904)
    for sheet in sheets:
        related, part = targets.get(sheet.get("r:id", ""), ("", ""))
        title = sheet.get("name", "")
        if sheet.get("state", "visible") != "visible":
            writer.leave_out("sheet", title, "it is hidden")
        elif related == "worksheet":
            addresses = package.addresses(part)
            reading = _Reading(title, cells, limits, addresses=addresses, is_stale=is_stale)
            _read_sheet(writer, package, part, reading)
        else:
            writer.leave_out("sheet", title, "it has no cells: a chart, or a macro")


def _read_sheet(writer: BlockWriter, package: Package, part: str, reading: "_Reading") -> None:
    """Add a sheet, then tell what of it was left out."""
    writer.start_sheet(reading.title)
    reading.read(package.events(part))
    for table in package.related(part, ("table",)):
        reading.add_table(package.events(table))
    reading.add_around(writer, HEADERS)
    write_tables(writer, reading.sheet)
    reading.add_around(writer, FOOTERS)
    reading.tell(writer)
    tell_surroundings(writer, package, part, reading.title)


class _Reading:
    """Reads the part of one sheet."""

    def __init__(
        self,
        title: str,
        cells: Cells,
        limits: ParseLimits,
        *,
        addresses: Mapping[str, str],
        is_stale: bool,
    ) -> None:
        self.title = title
        self._cells = cells
        self._limits = limits
        self._addresses = addresses  # relationship id → where a link leads
        self._is_stale = is_stale
        self._left = limits.chars
        self._words = Words(limits)
        self._formula: list[str] | None = None  # its words; None: the cell has none
        self._has_value = False
        self._around: dict[str, list[str]] = {}  # printed headers and footers
        self._text: list[str] | None = None  # what other words than a cell's are added to
        self._row, self._is_hidden, self._column = SheetRow(0, {}, 0), False, 0
        self._hidden_rows: list[SheetRow] = []  # with text
        self._hidden_so_far = 0  # rows, with text or without
        self._links: list[tuple[str, str]] = []  # cells, where they lead
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
                elif self._text is not None:
                    self._text.append(name)
            elif name in ("v", "t"):
                in_value = kind == "start"
                self._text, self._has_value = None, True
            elif kind == "start":
                if name == "c":
                    cell = attributes
                else:
                    self._note(name, attributes)
            elif name == "c":
                self._end_cell(cell)
            elif name == "row" and self._row.cells:
                (self._hidden_rows if self._is_hidden else self.sheet.rows).append(self._row)
        self._add_links()

    def add_around(self, writer: BlockWriter, names: tuple[str, ...]) -> None:
        """Add the headers or footers of the printed sheet that have words."""
        texts = (words_around("".join(self._around.get(name, ())), self.title) for name in names)
        for text in dict.fromkeys(filter(None, texts)):
            writer.text(text)
            writer.end_paragraph()

    def _add_links(self) -> None:
        """Add where cells lead that are links."""
        rows = {row.number: row for row in self.sheet.rows} if self._links else {}
        for reference, target in self._links:
            for area in areas(reference):
                row = rows.get(area.top)
                text = row.cells.get(area.left) if row else None
                address = address_beside(text, target) if text else ""
                if row and address:
                    row.cells[area.left] = f"{text} ({address})"

    def add_table(self, flow: Iterator[Event]) -> None:
        """Add what the part of a table says: where it is and how many rows name its columns."""
        for kind, name, attributes in flow:
            if (kind, name) == ("start", "table"):
                rows = attributes.get("headerRowCount", "1")
                found = areas(attributes.get("ref", ""))
                self.sheet.tables += [(area, whole(rows)) for area in found]

    def tell(self, writer: BlockWriter) -> None:
        """Tell what was not read."""
        if self._hidden_rows:
            rows = ranges((row.number, str(row.number)) for row in self._hidden_rows)
            writer.leave_out("rows", f"{self.title}, {rows}", HIDDEN)
        if columns := self.sheet.hidden_columns & self.sheet.left_out_columns:
            names = ranges((column, letters_of(column)) for column in sorted(columns))
            writer.leave_out("columns", f"{self.title}, {names}", HIDDEN)
        for (what, why), places in self._places.items():
            writer.leave_out(what, f"{self.title}, {some(places)}", why)

    def _end_cell(self, cell: Mapping[str, str]) -> None:
        """Add a cell to its row."""
        kind, style, reference = cell.get("t", "n"), cell.get("s", "0"), cell.get("r", "")
        value = self._words.take()
        place = max(column(reference, self._column), self._column)
        self._column = place + 1
        is_computed = value != "" or (kind == "str" and self._has_value)
        self._has_value = False
        address = ""
        if self._formula is not None:
            address = self._end_formula(value, reference, is_computed=is_computed)
        if kind == "e" and value:
            self._note_place("value", f"its formula fails: {value}", reference)
        text = self._cells.text(value, kind, style).strip()
        if not text and value.strip():
            self._note_place("value", "its format shows nothing", reference)
        if text and place in self.sheet.hidden_columns:
            self.sheet.left_out_columns.add(place)
        elif text:
            if style in self._cells.struck and "~~" not in text:
                text = f"~~{text}~~"
            self._add(place, f"{text} ({address})" if address else text, style)

    def _add(self, place: int, text: str, style: str) -> None:
        self._left -= len(text)
        if self._left < 0:
            raise too_much_text(self._limits.chars)
        self._row.cells[place] = text
        self._row.is_bold = self._row.is_bold and style in self._cells.bold

    def _end_formula(self, value: str, reference: str, *, is_computed: bool) -> str:
        """Tell of a formula that has no value, or an old one; return where it leads as a link."""
        formula, self._formula, self._text = "".join(self._formula or ()), None, None
        if not is_computed:
            self._note_place("formula", "its value was never computed", reference)
        elif self._is_stale:
            self._note_place("formula", STALE, reference)
        found = _LINK.match(formula)
        return address_beside(value, found[1].replace('""', '"')) if found else ""

    def _note_place(self, what: str, why: str, place: str) -> None:
        self._places.setdefault((what, why[:80]), []).append(place)

    def _note(self, name: str, attributes: Mapping[str, str]) -> None:
        """Note what is said around the cells, or inside one."""
        if note := _NOTES.get(name):
            note(self, attributes)
        elif name in RUN_PROPERTIES:
            self._words.note(name, attributes)
        elif name in HEADERS or name in FOOTERS:
            self._text = self._around.setdefault(name, [])

    def _start_row(self, attributes: Mapping[str, str]) -> None:
        number = whole(attributes.get("r")) or self._row.number + 1
        self._is_hidden = attributes.get("hidden") in TRUE or _is_zero(attributes, "ht")
        self._hidden_so_far += self._is_hidden
        self._row, self._column = SheetRow(number, {}, number - self._hidden_so_far), 0

    def _start_formula(self, attributes: Mapping[str, str]) -> None:
        self._formula = self._text = []

    def _note_link(self, attributes: Mapping[str, str]) -> None:
        if target := self._addresses.get(attributes.get("r:id", "")):
            self._links.append((attributes.get("ref", "").split(":")[0], target))

    def _note_merged(self, attributes: Mapping[str, str]) -> None:
        self.sheet.merged += areas(attributes.get("ref", ""))

    def _note_filter(self, attributes: Mapping[str, str]) -> None:
        self.sheet.header_ends += [area.top for area in areas(attributes.get("ref", ""))]

    def _note_pane(self, attributes: Mapping[str, str]) -> None:
        if attributes.get("state", "").startswith("frozen"):
            self.sheet.header_ends.append(whole(attributes.get("ySplit", "").split(".")[0]))

    def _note_columns(self, attributes: Mapping[str, str]) -> None:
        if attributes.get("hidden") in TRUE or _is_zero(attributes, "width"):
            first, last = whole(attributes.get("min")), whole(attributes.get("max"))
            self.sheet.hidden_columns.update(range(first - 1, min(last, MAX_COLUMNS)))


_NOTES = {
    "row": _Reading._start_row,
    "f": _Reading._start_formula,
    "hyperlink": _Reading._note_link,
    "mergeCell": _Reading._note_merged,
    "autoFilter": _Reading._note_filter,
    "pane": _Reading._note_pane,
    "col": _Reading._note_columns,
}


def _is_zero(attributes: Mapping[str, str], name: str) -> bool:
    """Say whether a height or width is nothing."""
    value = attributes.get(name, "")
    return value.startswith("0") and not value.strip("0.")
