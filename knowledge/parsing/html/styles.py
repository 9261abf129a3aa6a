"""The style sheets inside a page, as far as they hide, strike, raise or lower words.

It knows rules for a tag, a class, an id or one of them with a tag; of longer selectors only the
last part counts, and only for what strikes, raises or lowers. What a rule hides and another one or
a script can show is not hidden: tabs and folded parts are a click away. It does not know sheets in
files of their own, nor rules for one medium (`@media`).
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Literal

from knowledge.parsing.html.lists import Attributes

SheetEffect = Literal["muted", "struck", "raised", "lowered"]

OF_STYLE = (
    r"(?<![\w-])"  # `backface-visibility` hides no words
    r"(?:(?P<muted>display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|mso-hide\s*:\s*all)"
    r"|(?P<struck>text-decoration(?:-line)?\s*:[^;]*line-through)"
    r"|(?P<raised>vertical-align\s*:\s*super)"
    r"|(?P<lowered>vertical-align\s*:\s*sub))"
)
MOST_RULES = 5_000  # a choice: what follows is not looked at
_EFFECT = re.compile(OF_STYLE, re.IGNORECASE)
_NO_HEIGHT = re.compile(
    r"(?<![\w-])font-size\s*:\s*0*(?:\.0+)?(?:[a-z]{2,3}|%)?\s*(?:;|!|\Z)", re.I
)
_COLOUR = re.compile(r"(?<![\w-])color\s*:\s*([^;!]+)", re.I)
_GROUND = re.compile(r"(?<![\w-])background(?:-color)?\s*:\s*([^;!]+)", re.I)
_WHITE = frozenset(("white", "#fff", "#ffffff", "rgb(255,255,255)"))
SHOWN = re.compile(r"display\s*:(?!\s*none)|visibility\s*:\s*visible", re.IGNORECASE)
_COMMENT = re.compile(r"/\*.*?\*/|<!--|-->", re.DOTALL)
_NAME = r"[\w-]+"
_SIMPLE = re.compile(rf"(?:{_NAME})?[.#]{_NAME}|{_NAME}")
_WORDS = re.compile(_NAME)
_NAMES = re.compile(rf"[.#]{_NAME}")


def is_unseen(style: str) -> bool:
    """Say whether a `style` gives words no height, or the colour of what they stand on."""
    if _NO_HEIGHT.search(style):
        return True
    colours = [found[1] for found in (_COLOUR.search(style), _GROUND.search(style)) if found]
    plain = ["".join(colour.lower().split()) for colour in colours]
    return len(plain) == 2 and (plain[0] == plain[1] or _WHITE.issuperset(plain))


class StyleSheet:
    """What the sheets of a page do to elements."""

    def __init__(self, markup: str) -> None:
        """Read the sheets of a page, and which names its scripts know."""
        self._effects: dict[str, set[SheetEffect]] = defaultdict(set)  # selector → effects
        sheets = "\n".join(_contents(markup, "style"))
        if not _EFFECT.search(sheets):
            return
        shown, known = set[str](), set[str]()  # names in rules that show, and in scripts
        for selector, rule in _rules(_COMMENT.sub("", sheets)):
            self._add(selector, rule)
            if SHOWN.search(rule):
                shown.update(_NAMES.findall(selector))
        for script in _contents(markup, "script"):
            known.update(_WORDS.findall(script))
        for selector, effects in self._effects.items():
            name = "".join(_NAMES.findall(selector))
            if name in shown or name[1:] in known:
                effects.discard("muted")

    @property
    def has_tags(self) -> bool:
        """Whether elements without attributes may be meant."""
        return any(selector.isalnum() for selector in self._effects)

    def effects(self, tag: str, attributes: Attributes) -> set[SheetEffect]:
        """Return what the sheets do to an element."""
        if not self._effects:
            return set()
        names = [f".{name}" for name in (attributes.get("class") or "").split()]
        if name := attributes.get("id"):
            names.append(f"#{name}")
        found: set[SheetEffect] = set()
        for key in (tag, *names, *(f"{tag}{name}" for name in names)):
            found |= self._effects.get(key, set())
        return found

    def _add(self, selectors: str, rule: str) -> None:
        found = {match.lastgroup for match in _EFFECT.finditer(rule)}
        if not found or len(self._effects) > MOST_RULES:
            return
        for selector in selectors.split(","):
            *around, last = selector.split() or [""]
            if not _SIMPLE.fullmatch(last):
                continue
            for effect in ("muted", "struck", "raised", "lowered"):
                if effect in found and not (around and effect == "muted"):
                    self._effects[last].add(effect)


def _contents(markup: str, tag: str) -> Iterator[str]:
    """Yield what elements of a tag hold."""
    small = markup.lower()
    end = 0
    while (start := small.find(f"<{tag}", end)) >= 0:
        begin = small.find(">", start) + 1
        end = small.find(f"</{tag}", begin) if begin else -1
        if end < 0:
            return
        yield markup[begin:end]


def _rules(sheet: str) -> Iterator[tuple[str, str]]:
    """Yield selectors and declarations of the rules that hold for every medium."""
    depth = 0
    for piece in sheet.split("}"):
        parts = piece.split("{")
        if depth == 0 and len(parts) == 2:
            yield parts[0].rsplit(";", 1)[-1].strip(), parts[1]
        depth = max(0, depth + len(parts) - 2)
