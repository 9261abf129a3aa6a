"""Word, Excel and PowerPoint: the text of an Office Open XML file, Strict or Transitional.

It knows the parts of such a package and which elements hold text a reader sees: paragraphs, table
cells, text boxes, slides, notes, charts, cells with the values last computed. It leaves out
comments, deleted text, formulas and hidden sheets: their readers were never meant to see them.
"""

import posixpath
import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from knowledge.errors import DamagedFile, ParseLimitExceeded, UnsupportedFile
from knowledge.parsing.archive import Archive
from knowledge.parsing.blocks import Blocks
from knowledge.parsing.limits import ParseLimits
from knowledge.parsing.xml import Event, events

SKIPPED = {"Fallback", "tabs", "tabLst", "moveFrom", "del", "instrText"}
SKIPPED_IN_CELLS = {"rPh", "f"}  # how to pronounce it, how it was computed
WORD_PARTS = ("header", "footnotes", "endnotes", "footer")
SLIDE_PARTS = ("chart", "diagramData", "notesSlide")
KINDS = {"document": "docx", "workbook": "xlsx", "presentation": "pptx"}
MAX_COLUMNS = 16_384  # Excel's own
EPOCH, EPOCH_1904 = datetime(1899, 12, 30), datetime(1904, 1, 1)
DATE_FORMATS = {*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)}  # ECMA-376 18.8.30
PERCENT_FORMATS = {"9", "10"}
_HEADING = re.compile(r"heading (\d)$", re.IGNORECASE)
_NOT_FORMAT = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.')
_COLUMN = re.compile(r"[A-Z]{1,3}")


class Package:
    """An Office file: its parts and how they refer to each other."""

    def __init__(self, filename: str, content: bytes, limits: ParseLimits) -> None:
        """Open it and find its main part.

        Raises:
            DamagedFile: It is no Office file.
        """
        self._filename = filename
        self.skipped = SKIPPED
        self.archive = Archive(filename, content, limits)
        found = self.related("", ("officeDocument",))
        if not found:
            raise DamagedFile(f"{filename!r} is no Office file: it has no main part")
        self.main = found[0]

    def events(self, part: str) -> Iterator[Event]:
        """Yield the markup of a part, without the elements nobody reads."""
        depth = 0
        for event in events(self._filename, self.archive.pieces(part)):
            if event.kind == "start" and (depth or event.name in self.skipped):
                depth += 1
            elif event.kind == "end" and depth:
                depth -= 1
            elif not depth:
                yield event

    def related(self, part: str, kinds: tuple[str, ...]) -> list[str]:
        """Return the parts that a part refers to, those of the first kind first."""
        targets = self.targets(part)
        return [name for kind in kinds for found, name in targets.values() if found == kind]

    def targets(self, part: str) -> dict[str, tuple[str, str]]:
        """Return relationship id → (kind, part), of those inside this file."""
        folder, name = posixpath.split(part)
        relations = posixpath.join(folder, "_rels", f"{name}.rels")
        if relations not in self.archive.names:
            return {}
        found: dict[str, tuple[str, str]] = {}
        for event in events(self._filename, self.archive.pieces(relations)):
            target = event.attributes.get("Target", "")
            if event.kind != "start" or event.attributes.get("TargetMode") == "External":
                continue
            path = posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")
            if path in self.archive.names:
                kind = posixpath.basename(event.attributes.get("Type", ""))
                found[event.attributes.get("Id", "")] = (kind, path)
        return found


def read_office(filename: str, content: bytes, kind: str, limits: ParseLimits) -> list[str]:
    """Return the text of a Word or Excel file in one piece, of PowerPoint by slide.

    Args:
        filename: For messages.
        content: The file.
        kind: `docx`, `xlsx` or `pptx`, as its name says.
        limits: What it may cost.

    Raises:
        UnsupportedFile: It is another kind of Office file than its name says.
        DamagedFile, PasswordRequired, ParseLimitExceeded: As they say.
    """
    package = Package(filename, content, limits)
    root = next((event.name for event in package.events(package.main)), "")
    if KINDS.get(root) != kind:
        raise UnsupportedFile(f"{filename!r} is {KINDS.get(root, 'another kind of file')} inside")
    if kind == "docx":
        return [_read_word(package, limits)]
    if kind == "xlsx":
        return [_read_excel(package, limits)]
    return _read_slides(filename, package, limits)


def _read_word(package: Package, limits: ParseLimits) -> str:
    styles = package.related(package.main, ("styles",))
    headings = _heading_styles(package, styles[0]) if styles else {}
    blocks = Blocks(limits.chars)
    around = {kind: package.related(package.main, (kind,)) for kind in WORD_PARTS}
    parts = [*around["header"], package.main]
    parts += [*around["footnotes"], *around["endnotes"], *around["footer"]]
    for part in parts:
        _add_flow(blocks, package.events(part), headings)
    return blocks.page()


def _heading_styles(package: Package, part: str) -> dict[str, int]:
    """Return style id → level of heading; ids are translated, names and outline levels are not."""
    levels: dict[str, int] = {}
    style = ""
    for kind, name, attributes in package.events(part):
        value = attributes.get("val", "")
        if kind != "start":
            continue
        if name == "style":
            style = attributes.get("styleId", "")
        elif name == "name" and (found := _HEADING.match(value)):
            levels[style] = int(found[1])
        elif name == "name" and value.lower() == "title":
            levels[style] = 1
        elif name == "outlineLvl" and value in "012345678" and value:
            levels.setdefault(style, int(value) + 1)
    return levels


def _add_flow(blocks: Blocks, flow: Iterator[Event], headings: Mapping[str, int]) -> None:
    """Add running text: Word's and PowerPoint's paragraphs, cells and boxes have the same names."""
    level = title = 0
    in_text = False
    for kind, name, attributes in flow:
        if kind == "text":
            if in_text:
                blocks.text(name)
        elif name == "t":
            in_text = kind == "start"
        elif kind == "start":
            if name in ("tab", "br", "cr", "noBreakHyphen"):
                blocks.text({"tab": "\t", "noBreakHyphen": "-"}.get(name, "\n"))
            elif name == "pStyle":
                level = headings.get(attributes.get("val", ""), 0)
            elif name == "ph" and attributes.get("type") in ("title", "ctrTitle"):
                title = 1
            else:
                _open_frame(blocks, name, attributes)
        elif name == "p":
            blocks.end_paragraph(heading=level or title)
            level = 0
        elif name == "sp":
            title = 0
        else:
            _close_frame(blocks, name)


def _open_frame(blocks: Blocks, name: str, attributes: Mapping[str, str]) -> None:
    if name == "tr":
        blocks.begin_row()
    elif name in ("tc", "txbxContent"):
        blocks.push()
    elif name in ("docPr", "cNvPr") and attributes.get("descr"):
        blocks.text(f"{attributes['descr']} ")  # what a picture shows, written for blind readers


def _close_frame(blocks: Blocks, name: str) -> None:
    if name == "tr":
        blocks.end_row()
    elif name == "tc":
        blocks.end_cell()
    elif name == "tbl":
        blocks.end_table()
    elif name == "txbxContent":
        blocks.pop_into_page()


def _read_slides(filename: str, package: Package, limits: ParseLimits) -> list[str]:
    targets = package.targets(package.main)
    slides = [
        targets[event.attributes["r:id"]][1]
        for event in package.events(package.main)
        if event.kind == "start" and event.name == "sldId"
        if event.attributes.get("r:id") in targets
    ]
    if len(slides) > limits.pages:
        raise ParseLimitExceeded(
            f"{filename!r} has {len(slides)} slides; at most {limits.pages} (knowledge.parse_pages)"
        )
    blocks = Blocks(limits.chars)
    pages: list[str] = []
    for slide in slides:
        _add_flow(blocks, package.events(slide), {})
        for part in package.related(slide, SLIDE_PARTS):
            _add_flow(blocks, _chart_words(package.events(part)), {})
        pages.append(blocks.page())
    return pages


def _chart_words(flow: Iterator[Event]) -> Iterator[Event]:
    """Yield a chart's cached names and values as paragraphs; other parts as they are."""
    for event in flow:
        if event.name == "v" and event.kind != "text":
            if event.kind == "start":
                yield Event("start", "t")
            else:
                yield from (Event("end", "t"), Event("end", "p"))
        else:
            yield event


def _read_excel(package: Package, limits: ParseLimits) -> str:
    package.skipped = SKIPPED | SKIPPED_IN_CELLS
    targets = package.targets(package.main)
    blocks = Blocks(limits.chars)
    strings = _shared_strings(package, limits)
    formats = _number_formats(package)
    epoch = EPOCH
    for kind, name, attributes in package.events(package.main):
        if kind != "start":
            continue
        if name == "workbookPr" and attributes.get("date1904") in ("1", "true"):
            epoch = EPOCH_1904
        related, part = targets.get(attributes.get("r:id", ""), ("", ""))
        if (
            name == "sheet"
            and related == "worksheet"
            and "idden" not in attributes.get("state", "")
        ):
            blocks.text(attributes.get("name", ""))
            blocks.end_paragraph(heading=1)
            _add_sheet(blocks, package.events(part), strings, (formats, epoch))
            blocks.end_table()
    text = blocks.page()
    named_only = all(line.startswith("# ") or not line for line in text.split("\n"))
    return "" if named_only else text


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
        raise ParseLimitExceeded(
            f"more than {limits.chars:,} characters of text (knowledge.parse_chars)"
        )
    return strings


def _number_formats(package: Package) -> list[str]:
    """Return for each cell style what its numbers are: `date`, `percent` or nothing."""
    custom: dict[str, str] = {}
    kinds: list[str] = []
    in_cells = False
    for part in package.related(package.main, ("styles",)):
        for kind, name, attributes in package.events(part):
            if name == "cellXfs":
                in_cells = kind == "start"
            elif kind == "start" and name == "numFmt":
                code = _NOT_FORMAT.sub("", attributes.get("formatCode", "")).lower()
                is_date = any(letter in code for letter in "ymdh") and "general" not in code
                custom[attributes.get("numFmtId", "")] = (
                    "date" if is_date else "percent" if "%" in code else ""
                )
            elif kind == "start" and name == "xf" and in_cells:
                number = attributes.get("numFmtId", "0")
                if number in custom:
                    kinds.append(custom[number])
                elif number.isdecimal() and int(number) in DATE_FORMATS:
                    kinds.append("date")
                else:
                    kinds.append("percent" if number in PERCENT_FORMATS else "")
    return kinds


def _add_sheet(
    blocks: Blocks,
    flow: Iterator[Event],
    strings: list[str],
    numbers: tuple[list[str], datetime],
) -> None:
    """Add the rows of a sheet; a formula shows the value the program computed last."""
    kind_of_cell, style, column = "", "", 0
    filled = 0
    value: list[str] = []
    in_value = False
    for kind, name, attributes in flow:
        if kind == "text":
            if in_value:
                value.append(name)
        elif name in ("v", "t"):
            in_value = kind == "start"
        elif name == "row":
            filled = 0
            if kind == "start":
                blocks.begin_row()
            else:
                blocks.end_row()
        elif name == "c" and kind == "start":
            kind_of_cell, style = attributes.get("t", "n"), attributes.get("s", "0")
            column = _column(attributes.get("r", ""), filled)
            value.clear()
        elif name == "c":
            text = _cell_text("".join(value), kind_of_cell, strings, (style, *numbers))
            if text:
                for _ in range(filled, column):
                    blocks.cell("")
                blocks.cell(text)
                filled = column + 1


def _column(reference: str, following: int) -> int:
    """Return the place of a cell in its row, from 0."""
    letters = _COLUMN.match(reference)
    if letters is None:
        return following
    place = 0
    for letter in letters[0]:
        place = place * 26 + ord(letter) - ord("A") + 1
    return max(min(place - 1, MAX_COLUMNS - 1), following)


def _cell_text(
    value: str, kind: str, strings: list[str], number: tuple[str, list[str], datetime]
) -> str:
    if kind == "s":
        place = int(value) if value.isdecimal() else -1
        return strings[place] if 0 <= place < len(strings) else ""
    if kind == "b":
        return {"1": "TRUE", "0": "FALSE"}.get(value, value)
    if kind != "n":
        return value
    style, formats, epoch = number
    place = int(style) if style.isdecimal() else 0
    return _number_text(value, formats[place] if place < len(formats) else "", epoch)


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
