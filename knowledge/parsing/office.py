"""Word and PowerPoint: running text of an Office file; Excel's sheets are read by `sheets`.

It knows which elements hold text a reader sees: paragraphs, table cells, text boxes, slides,
notes, charts. It leaves out comments and deleted text: they were not meant for readers.
"""

import re
from collections.abc import Iterator, Mapping

from knowledge.errors import ParseLimitExceeded, UnsupportedFile
from knowledge.parsing.blocks import Content
from knowledge.parsing.limits import ParseLimits
from knowledge.parsing.package import Package
from knowledge.parsing.sheets import read_sheets
from knowledge.parsing.writer import BlockWriter
from knowledge.parsing.xml import Event

KINDS = {"document": "docx", "workbook": "xlsx", "presentation": "pptx"}
WORD_PARTS = ("header", "footnotes", "endnotes", "footer")
SLIDE_PARTS = ("chart", "diagramData", "notesSlide")
BREAKS = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
_HEADING = re.compile(r"heading (\d)$", re.IGNORECASE)


def read_office(filename: str, content: bytes, kind: str, limits: ParseLimits) -> Content:
    """Return the content of a Word, Excel or PowerPoint file.

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
    writer = BlockWriter(limits.chars)
    if kind == "docx":
        _read_word(writer, package)
    elif kind == "xlsx":
        read_sheets(writer, package, limits)
    else:
        _read_slides(writer, filename, package, limits)
    return Content(writer.blocks, "utf-8", writer.not_read)


def _read_word(writer: BlockWriter, package: Package) -> None:
    styles = package.related(package.main, ("styles",))
    headings = _heading_styles(package, styles[0]) if styles else {}
    around = {kind: package.related(package.main, (kind,)) for kind in WORD_PARTS}
    parts = [*around["header"], package.main]
    parts += [*around["footnotes"], *around["endnotes"], *around["footer"]]
    for part in parts:
        _Flow(writer, headings).add(package.events(part))


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


class _Flow:
    """Running text: Word's and PowerPoint's paragraphs, cells and boxes have the same names."""

    def __init__(self, blocks: BlockWriter, headings: Mapping[str, int]) -> None:
        self._blocks = blocks
        self._headings = headings
        self._level = self._title = 0
        self._in_text = False

    def add(self, flow: Iterator[Event]) -> None:
        """Add the text of a part."""
        for kind, name, attributes in flow:
            if kind == "text":
                if self._in_text:
                    self._blocks.text(name)
            elif name == "t":
                self._in_text = kind == "start"
            elif kind == "start":
                self._open(name, attributes)
            else:
                self._close(name)

    def _open(self, name: str, attributes: Mapping[str, str]) -> None:
        if name in BREAKS:
            self._blocks.text(BREAKS[name])
        elif name == "pStyle":
            self._level = self._headings.get(attributes.get("val", ""), 0)
        elif name == "ph" and attributes.get("type") in ("title", "ctrTitle"):
            self._title = 1
        elif name == "tbl":
            self._blocks.begin_table()
        elif name == "tr":
            self._blocks.begin_row()
        elif name == "tc":
            self._blocks.begin_cell()
        elif name == "txbxContent":
            self._blocks.push()
        elif name in ("docPr", "cNvPr") and attributes.get("descr"):
            self._blocks.text(f"{attributes['descr']} ")  # a picture's text for blind readers

    def _close(self, name: str) -> None:
        if name == "p":
            self._blocks.end_paragraph(heading=self._level or self._title)
            self._level = 0
        elif name == "sp":
            self._title = 0
        elif name == "tr":
            self._blocks.end_row()
        elif name == "tc":
            self._blocks.end_cell()
        elif name == "tbl":
            self._blocks.end_table()
        elif name == "txbxContent":
            self._blocks.pop_into_page()


def _read_slides(writer: BlockWriter, filename: str, package: Package, limits: ParseLimits) -> None:
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
    for slide in slides:
        writer.start_page()
        _Flow(writer, {}).add(package.events(slide))
        for part in package.related(slide, SLIDE_PARTS):
            _Flow(writer, {}).add(_chart_words(package.events(part)))
            writer.end_paragraph()


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
