"""Word's styles: what a paragraph or a run is by the name and the properties of its style.

It knows `styles.xml` and that a style is based on another; it does not know text. Ids of styles are
translated, names of built-in ones are not.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from knowledge.parsing.package import Package

BODY_TEXT = 9  # an outline level that is none (ECMA-376 17.3.1.20)
UNSEEN_HALF_POINTS = 2  # letters a third of a millimetre high
WHITE = "FFFFFF"
OFF = ("0", "false", "off", "none")
_HEADING = re.compile(
    r"(?:heading|überschrift|titre|título|titolo|标题|標題|見出し|제목)\s?(\d)$", re.IGNORECASE
)
_LIST = re.compile(r"list (?:bullet |number )?([2-5])$", re.IGNORECASE)
_CODE = re.compile(
    r"\b(?:code|html preformatted|preformatted|verbatim|listing|console|代码|代碼)\b"
    r"|^(?:source|macro text)$|sourcecode|codeblock",
    re.IGNORECASE,
)
MONOSPACE = re.compile(
    r"courier|consolas|menlo|monaco\b|\bmono\b|monospace|lucida (?:console|sans typewriter)"
    r"|cascadia|fira code|source code|inconsolata|sfmono",
    re.IGNORECASE,
)


@dataclass(slots=True)
class Style:
    """What a style says of itself; None where it leaves that to the one it is based on."""

    based_on: str = ""
    heading: int | None = None  # 0: body text
    number_id: str | None = None
    depth: int | None = None
    rise: str | None = None  # superscript, subscript, baseline
    is_struck: bool | None = None
    is_hidden: bool | None = None
    half_points: int | None = None  # how high its letters are
    colour: str | None = None  # RRGGBB, or `auto`
    is_shaded: bool | None = None
    is_code: bool | None = None
    is_caption: bool | None = None
    indent: int | None = None  # of a built-in style for lists: `List Number 2`
    font: str | None = None
    has_header_row: bool | None = None


class Styles:
    """The styles of a document."""

    def __init__(self, package: Package) -> None:
        """Read them; a document may have none."""
        self._styles: dict[str, Style] = {}
        self._whole: dict[str, Style] = {"": Style()}
        self.default = ""  # of paragraphs that name none
        self.font = ""  # of text whose style names none
        for part in package.related(package.main, ("styles",)):
            self._read(package, part)
        self.font = self.get(self.default).font or self.font

    def get(self, name: str) -> Style:
        """Return a style with all that it takes over from those it is based on."""
        if name in self._whole:
            return self._whole[name]
        whole = Style()
        for style in self.chain(name):
            own = self._styles[style]
            for key in Style.__slots__:
                if getattr(whole, key) is None:
                    setattr(whole, key, getattr(own, key))
        self._whole[name] = whole
        return whole

    def chain(self, name: str) -> list[str]:
        """Return a style and those it is based on, nearest first."""
        names: list[str] = []
        while name in self._styles and name not in names:
            names.append(name)
            name = self._styles[name].based_on
        return names

    def is_monospace(self, font: str) -> bool:
        """Tell whether a font is for code, in a document that is not all in such a font."""
        return MONOSPACE.search(font) is not None and MONOSPACE.search(self.font) is None

    def _read(self, package: Package, part: str) -> None:
        style = Style()
        in_defaults = in_first_row = False
        for kind, name, attributes in package.events(part):
            if name == "docDefaults":
                in_defaults = kind == "start"
            elif name == "tblStylePr":
                in_first_row = kind == "start"
                if attributes.get("type") == "firstRow":
                    style.has_header_row = True
            elif kind != "start" or in_first_row:
                continue
            elif name == "style":
                style = Style()
                key = attributes.get("styleId", "")
                self._styles[key] = style
                if attributes.get("type", "paragraph") == "paragraph" and is_on(
                    attributes, "default", missing=False
                ):
                    self.default = key
            elif name == "rFonts" and in_defaults:
                self.font = attributes.get("ascii", "")
            else:
                _tell(style, name, attributes)


def is_unseen(nearest: Sequence[Style], *, on_paper: bool) -> bool:
    """Tell whether nobody sees words on the page: hidden, of no height, or white on white.

    Args:
        nearest: What is said of the words, nearest first.
        on_paper: They stand on the page itself: a cell or a box may be filled.
    """
    hidden = next((one.is_hidden for one in nearest if one.is_hidden is not None), False)
    height = next((one.half_points for one in nearest if one.half_points is not None), None)
    colour = next((one.colour for one in nearest if one.colour), "AUTO")
    is_white = on_paper and colour == WHITE and not any(one.is_shaded for one in nearest)
    return hidden or is_white or (height is not None and height <= UNSEEN_HALF_POINTS)


def is_on(attributes: Mapping[str, str], key: str = "val", *, missing: bool = True) -> bool:
    """Tell whether an on/off property is on; without a value it is."""
    return attributes[key] not in OFF if key in attributes else missing


def figure(attributes: Mapping[str, str], otherwise: int) -> int:
    """Return the number that a property is, or another where it is none."""
    value = attributes.get("val", "")
    return int(value) if value.isdecimal() and len(value) < 6 else otherwise


def outline_level(value: str) -> int | None:
    """Return the level of heading that an outline level makes; 0: body text."""
    if not (value.isdecimal() and len(value) == 1):
        return None
    return 0 if int(value) == BODY_TEXT else int(value) + 1


def _tell(style: Style, name: str, attributes: Mapping[str, str]) -> None:
    """Note one property of a style."""
    value = attributes.get("val", "")
    match name:
        case "name":
            _tell_name(style, value)
        case "basedOn":
            style.based_on = value
        case "outlineLvl":
            style.heading = style.heading or outline_level(value)
        case "numId":
            style.number_id = value
        case "ilvl":
            style.depth = int(value) if value.isdecimal() else None
        case _:
            tell_run(style, name, attributes)


def tell_run(style: Style, name: str, attributes: Mapping[str, str]) -> None:
    """Note one property of a run of text."""
    match name:
        case "vertAlign":
            style.rise = attributes.get("val", "")
        case "strike" | "dstrike":
            style.is_struck = is_on(attributes)
        case "vanish":
            style.is_hidden = is_on(attributes)
        case "sz":
            style.half_points = figure(attributes, UNSEEN_HALF_POINTS + 1)
        case "color":
            style.colour = attributes.get("val", "").upper()
        case "shd":
            style.is_shaded = attributes.get("fill", "auto").upper() not in ("AUTO", WHITE)
        case "highlight":
            style.is_shaded = attributes.get("val", "none") not in ("none", "white")
        case "rFonts" if "ascii" in attributes or "hAnsi" in attributes:
            style.font = attributes.get("ascii") or attributes.get("hAnsi")


def _tell_name(style: Style, name: str) -> None:
    if found := _HEADING.match(name):
        style.heading = int(found[1])
    elif name.lower() == "title":
        style.heading = 1
    elif name.lower() in ("caption", "题注", "標號"):
        style.is_caption = True
    elif found := _LIST.match(name):
        style.indent = int(found[1])
    elif _CODE.search(name):
        style.is_code = True
