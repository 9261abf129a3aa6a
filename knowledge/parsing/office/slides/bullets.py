"""PowerPoint's lists: which sign or number stands before a paragraph of a text box.

It knows `buAutoNum`, `buChar` and `buNone` (ECMA-376 21.1.2.4) and which levels of a placeholder
have them by its layout and master (19.3.1.36, 21.1.2.4.12); it does not know text.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from knowledge.parsing.counting import count
from knowledge.parsing.package import Package
from knowledge.parsing.words.symbols import list_mark
from knowledge.parsing.xml import Event

BODIES = ("", "body", "obj")  # placeholders for running text
_LEVEL = re.compile(r"lvl([1-9])pPr")
NAMES = ("buNone", "buChar", "buAutoNum", "buBlip")
_KIND = re.compile(r"(.+?)(ParenBoth|ParenR|Period|Plain|Minus)?")
_FORMATS = {
    "alphaLc": "lowerLetter",
    "alphaUc": "upperLetter",
    "arabic": "decimal",
    "arabicDb": "decimalFullWidth",
    "arabic1": "arabicAlpha",
    "arabic2": "arabicAbjad",
    "romanLc": "lowerRoman",
    "romanUc": "upperRoman",
    "circleNumDb": "decimalEnclosedCircle",
    "circleNumWdWhite": "decimalEnclosedCircle",
    "circleNumWdBlack": "decimalBlackCircle",
    "ea1Chs": "chineseCountingThousand",
    "ea1Cht": "taiwaneseCountingThousand",
    "ea1JpnChsDb": "japaneseCounting",
    "ea1JpnKor": "japaneseCounting",
    "hebrew2": "hebrew2",
    "hindiNum": "hindiNumbers",
    "thaiAlpha": "thaiLetters",
    "thaiNum": "thaiNumbers",
}
_ENDS = {"ParenBoth": "({})", "ParenR": "{})", "Period": "{}.", "Minus": "{}-"}


@dataclass(frozen=True, slots=True)
class Bullet:
    """What stands before a paragraph: a sign, or a number of some kind from a start."""

    sign: str = ""
    kind: str = ""
    start: int = 1
    font: str = ""

    def marks(self) -> bool:
        """Tell whether anything stands there."""
        return bool(self.sign or self.kind)


NONE = Bullet()


def bullet(name: str, attributes: Mapping[str, str]) -> Bullet:
    """Return what an element of `NAMES` says."""
    if name == "buAutoNum":
        start = attributes.get("startAt", "1")
        first = int(start) if start.isdecimal() and len(start) < 6 else 1
        return Bullet(kind=attributes.get("type", "arabicPeriod"), start=first)
    if name == "buChar":
        return Bullet(sign=attributes.get("char", "") or "•")
    return NONE if name == "buNone" else Bullet(sign="•")


class BulletCounter:
    """Where the lists of one text box have come to."""

    def __init__(self) -> None:
        """Begin with nothing counted."""
        self._counts: dict[int, tuple[Bullet, int]] = {}  # level → (its kind, how many)

    def mark(self, level: int, shown: Bullet) -> str:
        """Count a paragraph and return what stands before it; empty where nothing does."""
        for below in [other for other in self._counts if other > level]:
            del self._counts[below]
        if not shown.kind:
            self._counts.pop(level, None)
            return list_mark(shown.sign, shown.font) if shown.sign else ""
        kind = replace(shown, font="")
        before, counted = self._counts.get(level, (kind, 0))
        counted = counted + 1 if before == kind else 1
        self._counts[level] = (kind, counted)
        return numbered(kind.start + counted - 1, kind.kind)


def numbered(number: int, kind: str) -> str:
    """Return a number as PowerPoint shows it: `3.`, `(c)`, `III.`, `③`."""
    found = _KIND.fullmatch(kind)
    name, end = found.groups() if found else (kind, None)
    return _ENDS.get(end or "", "{}").format(count(number, _FORMATS.get(name, "decimal")))


Levels = dict[int, Bullet]


@dataclass(slots=True)
class _Shapes:
    """The placeholders of a layout or master: (type, number) → bullets by level."""

    by_index: dict[str, Levels] = field(default_factory=dict)
    by_type: dict[str, Levels] = field(default_factory=dict)
    styles: dict[str, Levels] = field(default_factory=dict)  # bodyStyle, titleStyle, otherStyle


class Layouts:
    """The layouts of a presentation, each read once."""

    def __init__(self, package: Package) -> None:
        """Read them when they are asked for."""
        self._package = package
        self._read: dict[str, _Shapes] = {}
        self._above: dict[tuple[str, str], str] = {}

    def bullet(self, slide: str, placeholder: Mapping[str, str], level: int) -> Bullet:
        """Return the bullet that a placeholder of a slide inherits.

        Args:
            slide: Its part.
            placeholder: The attributes of its `ph`.
            level: From 0.
        """
        kind, index = placeholder.get("type", ""), placeholder.get("idx", "")
        layout = self._part_above(slide, "slideLayout")
        shapes = self._shapes(layout)
        levels = shapes.by_index.get(index) or shapes.by_type.get(kind) or {}
        if level in levels:
            return levels[level]
        master = self._shapes(self._part_above(layout, "slideMaster"))
        levels = master.by_type.get("body" if kind in BODIES else kind, {})
        if level in levels:
            return levels[level]
        return master.styles.get("bodyStyle", {}).get(level, NONE) if kind in BODIES else NONE

    def _part_above(self, part: str, kind: str) -> str:
        key = (part, kind)
        if key not in self._above:
            found = self._package.related(part, (kind,)) if part else []
            self._above[key] = found[0] if found else ""
        return self._above[key]

    def _shapes(self, part: str) -> _Shapes:
        if part not in self._read:
            self._read[part] = _read(self._package.events(part)) if part else _Shapes()
        return self._read[part]


def _read(events: Iterable[Event]) -> _Shapes:
    shapes = _Shapes()
    levels: Levels = {}
    level = -1
    for kind, name, attributes in events:
        if kind != "start":
            if _LEVEL.fullmatch(name):
                level = -1
        elif name == "sp":
            levels = {}
        elif name == "ph":
            shapes.by_index.setdefault(attributes.get("idx", ""), levels)
            shapes.by_type.setdefault(attributes.get("type", ""), levels)
        elif name in ("bodyStyle", "titleStyle", "otherStyle"):
            levels = shapes.styles.setdefault(name, {})
        elif found := _LEVEL.fullmatch(name):
            level = int(found[1]) - 1
        elif level >= 0 and name in NAMES:
            levels[level] = bullet(name, attributes)
    return shapes
