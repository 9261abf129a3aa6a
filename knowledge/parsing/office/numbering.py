"""Word's automatic numbering: which number stands before a paragraph.

It knows `numbering.xml` (ECMA-376 17.9) and counts as Word does: lists that share an abstract
definition go on counting, a deeper level begins again under each item. It does not know styles or
text.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from knowledge.parsing.counting import count
from knowledge.parsing.package import Package
from knowledge.parsing.words.symbols import list_mark

LIST_MARK = re.compile(r"[(\[（]?[^\W_第]{1,5}(?:[.\-–][^\W_]{1,5})*[.．)）、\]:：]*")
# `3.`, `(b)`, `1.2`, `①`, `一、`; `第二条` and `Article 2` are how a paragraph begins
MOST_LEVELS = 9  # ECMA-376 17.9.6
_PLACE = re.compile(r"%([1-9])")


@dataclass(slots=True)
class Level:
    """How a level of a list is numbered."""

    start: int = 1
    style: str = "decimal"
    text: str = ""
    restart: int = -1  # after which level, from 1; 0: never; -1: any higher one
    is_legal: bool = False  # all numbers in figures
    paragraph_style: str = ""
    font: str = ""  # of a bullet


@dataclass(slots=True)
class _Abstract:
    levels: dict[int, Level] = field(default_factory=dict)
    link: str = ""  # the style that has its levels
    linked: str = ""  # the style whose levels these are


@dataclass(slots=True)
class _List:
    abstract: str = ""
    starts: dict[int, int] = field(default_factory=dict)
    levels: dict[int, Level] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Number:
    """What stands before a paragraph: its number or the sign of a list, and how deep it is."""

    text: str
    depth: int  # from 1, headings of the same list not counted
    is_bullet: bool = False


class Numbering:
    """The numberings a document defines."""

    def __init__(self, package: Package) -> None:
        """Read them; a document may have none."""
        self._abstracts: dict[str, _Abstract] = {}
        self._lists: dict[str, _List] = {}
        for part in package.related(package.main, ("numbering",)):
            self._read(package, part)
        links = {a.linked: key for key, a in self._abstracts.items() if a.linked}
        for one in self._lists.values():
            abstract = self._abstracts.get(one.abstract, _Abstract())
            if not abstract.levels and abstract.link in links:
                one.abstract = links[abstract.link]

    def abstract_of(self, number_id: str) -> str:
        """Return what a list shares its count with; empty where there is no such list."""
        one = self._lists.get(number_id)
        return one.abstract if one and one.abstract in self._abstracts else ""

    def level(self, number_id: str, depth: int) -> Level | None:
        """Return how a level of a list is numbered."""
        one = self._lists[number_id]
        return one.levels.get(depth) or self._abstracts[one.abstract].levels.get(depth)

    def starts(self, number_id: str) -> dict[int, int]:
        """Return the levels at which a list begins anew, with the number it begins with."""
        return self._lists[number_id].starts

    def depth_of_style(self, number_id: str, style: str) -> int | None:
        """Return the level that is bound to a style."""
        if not self.abstract_of(number_id):
            return None
        for depth in range(MOST_LEVELS):
            level = self.level(number_id, depth)
            if level and level.paragraph_style == style:
                return depth
        return None

    def _read(self, package: Package, part: str) -> None:
        reader = _Reader(self._abstracts, self._lists)
        for kind, name, attributes in package.events(part):
            if kind == "start":
                reader.tell(name, attributes)
        for one in self._lists.values():
            for depth, own in one.levels.items():
                one.starts.setdefault(depth, own.start)


class _Reader:
    """The definition that is being read."""

    def __init__(self, abstracts: dict[str, _Abstract], lists: dict[str, _List]) -> None:
        self._abstracts = abstracts
        self._lists = lists
        self._abstract = _Abstract()
        self._list: _List | None = None
        self._level = Level()
        self._depth = 0

    def tell(self, name: str, attributes: Mapping[str, str]) -> None:
        value = attributes.get("val", "")
        match name:
            case "abstractNum":
                self._abstract, self._list = _Abstract(), None
                self._abstracts[attributes.get("abstractNumId", "")] = self._abstract
            case "num":
                self._list = self._lists[attributes.get("numId", "")] = _List()
            case "numStyleLink":
                self._abstract.link = value
            case "styleLink":
                self._abstract.linked = value
            case "lvl":
                self._depth = _figure(attributes.get("ilvl", ""), 0)
                self._level = Level()
                owner = self._list.levels if self._list else self._abstract.levels
                owner[self._depth] = self._level
            case _ if self._list and name in ("abstractNumId", "lvlOverride", "startOverride"):
                self._tell_list(self._list, name, value or attributes.get("ilvl", ""))
            case _:
                written = attributes.get("format") or attributes.get("ascii")
                _tell(self._level, name, written or value)

    def _tell_list(self, one: _List, name: str, value: str) -> None:
        if name == "abstractNumId":
            one.abstract = value
        elif name == "lvlOverride":
            self._depth = _figure(value, 0)
        else:
            one.starts[self._depth] = _figure(value, 1)


class Counter:
    """Where the numberings of a document have come to."""

    def __init__(self, numbering: Numbering) -> None:
        """Begin with nothing counted."""
        self._numbering = numbering
        self._counts: dict[str, dict[int, int]] = {}
        self._begun: set[tuple[str, int]] = set()  # levels of lists that began anew
        self._headed: dict[str, int] = {}  # how many of the upper levels are headings

    def number(self, number_id: str, depth: int, *, is_heading: bool = False) -> Number | None:
        """Count a paragraph and return its number; None where it has none.

        Args:
            number_id: Which list.
            depth: Its level, from 0.
            is_heading: It is one; levels below it are not indented for its sake.
        """
        abstract = self._numbering.abstract_of(number_id)
        level = self._numbering.level(number_id, depth) if abstract else None
        if level is None:
            return None
        counts = self._counts.setdefault(abstract, {})
        self._count(counts, number_id, depth)
        if is_heading:
            self._headed[abstract] = depth + 1
        shown_depth = depth + 1 - min(self._headed.get(abstract, 0), depth)
        if level.style == "bullet":
            return Number(list_mark(level.text, level.font), shown_depth, is_bullet=True)
        text = _PLACE.sub(
            lambda found: self._place(counts, number_id, (depth, found[1])), level.text
        )
        return Number(" ".join(text.split()), shown_depth) if text.strip() else None

    def _count(self, counts: dict[int, int], number_id: str, depth: int) -> None:
        """Count one at a level; those below it begin again."""
        level = self._numbering.level(number_id, depth) or Level()
        starts = self._numbering.starts(number_id)
        if depth in starts and (number_id, depth) not in self._begun:
            self._begun.add((number_id, depth))
            counts[depth] = starts[depth]
        else:
            counts[depth] = counts[depth] + 1 if depth in counts else level.start
        for below in [other for other in counts if other > depth]:
            restart = (self._numbering.level(number_id, below) or level).restart
            if restart < 0 or depth < restart:
                del counts[below]

    def _place(self, counts: dict[int, int], number_id: str, place: tuple[int, str]) -> str:
        """Return the number of a level (from 1, as text) for a paragraph of some depth."""
        depth, figure = place
        wanted = int(figure) - 1
        level = self._numbering.level(number_id, wanted)
        if level is None or wanted > depth:
            return ""
        own = self._numbering.level(number_id, depth) or level
        style = "decimal" if own.is_legal and level.style != "none" else level.style
        return count(counts.get(wanted, level.start), style)


def _tell(level: Level, name: str, value: str) -> None:
    """Note one property of a level."""
    if name == "start":
        level.start = _figure(value, 1)
    elif name == "numFmt":
        level.style = value
    elif name == "lvlText":
        level.text = value
    elif name == "lvlRestart":
        level.restart = _figure(value, -1)
    elif name == "isLgl":
        level.is_legal = value not in ("0", "false", "off")
    elif name == "rFonts":
        level.font = value
    elif name == "pStyle":
        level.paragraph_style = value


def _figure(value: str, otherwise: int) -> int:
    return int(value) if value.isdecimal() and len(value) < 10 else otherwise
