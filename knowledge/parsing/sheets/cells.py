"""What the cells of a workbook mean: shared strings, number formats, fonts.

It knows `styles.xml` (ECMA-376 18.8); it does not know where a cell stands.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from knowledge.parsing.limits import ParseLimits
from knowledge.parsing.package import Package
from knowledge.parsing.sheets.number_formats import NumberFormat, built_in, general
from knowledge.parsing.sheets.words import shared_strings
from knowledge.parsing.words.symbols import is_symbol_font, readable
from knowledge.parsing.xml import Event

TRUE = ("1", "true")
NUMBERS_KEPT = 20_000  # as they are shown: days and prices come again and again


@dataclass(slots=True)
class _Font:
    is_bold: bool = False
    is_struck: bool = False
    signs: str = ""  # its name, where its letters are signs


class Cells:
    """What the cells of a workbook mean."""

    def __init__(self, package: Package, limits: ParseLimits, *, starts_1904: bool) -> None:
        """Read strings and styles."""
        strings = package.related(package.main, ("sharedStrings",))
        self._strings = shared_strings(map(package.events, strings), limits)
        self.bold: set[str] = set()
        self.struck: set[str] = set()
        self._signs: dict[str, str] = {}  # style → font
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
        if style in self._signs:
            value = readable(value, self._signs[style])
        form = self._formats.get(style)
        return form.words(value) if form and value else value

    def _number_text(self, value: str, style: str) -> str:
        form = self._formats.get(style)
        return form.number(value) if form and value else general(value)

    def _read_styles(self, flow: Iterator[Event], *, starts_1904: bool) -> None:
        codes: dict[str, str] = {}
        fonts: list[_Font] = []
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
                fonts.append(_Font())
            elif around == "fonts" and fonts:
                _tell(fonts[-1], name, attributes.get("val", "1"))
            elif name == "xf" and around == "cellXfs":
                number, font = attributes.get("numFmtId", "0"), whole(attributes.get("fontId"))
                form = (
                    NumberFormat(codes[number], starts_1904=starts_1904)
                    if number in codes
                    else built_in(whole(number), starts_1904=starts_1904)
                )
                self._formats |= {str(styles): form} if form else {}
                self._set_font(str(styles), fonts[font] if font < len(fonts) else _Font())
                styles += 1

    def _set_font(self, style: str, font: _Font) -> None:
        if font.is_bold:
            self.bold.add(style)
        if font.is_struck:
            self.struck.add(style)
        if font.signs:
            self._signs[style] = font.signs


def whole(value: str | None) -> int:
    """Return a number that is not negative; 0 where there is none."""
    return int(value) if value and value.isdecimal() and len(value) < 10 else 0


def _tell(font: _Font, name: str, value: str) -> None:
    """Note one property of a font."""
    if name == "b":
        font.is_bold = value in TRUE
    elif name == "strike":
        font.is_struck = value in TRUE
    elif name == "name" and is_symbol_font(value):
        font.signs = value
