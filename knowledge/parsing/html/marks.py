"""What elements of a web page, and their styles, do to the words in them.

It knows names of elements, attributes and styles of an element itself; it does not know style
sheets.
"""

import re
from typing import Literal, cast

from knowledge.parsing.html.code import is_line_number
from knowledge.parsing.html.lists import LISTS, Attributes

Effect = Literal[
    "muted", "struck", "raised", "lowered", "code", "pre", "block", "kept", "link", "note"
]

HEADINGS = {f"h{level}": level for level in range(1, 7)}
BLOCKS = frozenset(
    ("address article aside blockquote body caption center dd details dialog div dl dt fieldset "
     "figcaption figure footer form head header hgroup hr html legend li listing main optgroup p "
     "pre search section summary table tbody td tfoot th thead title tr xmp").split()
) | LISTS | HEADINGS.keys()  # fmt: skip
VOID = frozenset(
    "area base br col embed hr img input link meta param source track wbr".split()
)  # they have no end
PLAYED = frozenset(("object", "video", "audio", "canvas"))
SILENT = frozenset(
    ("script", "style", "template", "noscript", "svg", "math", "iframe", "rt", "rp", "rtc", *PLAYED)
)
MENU = "nav"
EFFECTS: dict[str, Effect] = {
    MENU: "muted",
    **dict.fromkeys(SILENT, "muted"),
    **dict.fromkeys(("del", "s", "strike"), "struck"),
    **dict.fromkeys(("pre", "textarea", "listing", "xmp"), "pre"),
    **dict.fromkeys(("code", "samp", "kbd"), "code"),
    "sup": "raised",
    "sub": "lowered",
}
_OF_STYLE = re.compile(
    r"(?P<muted>display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|mso-hide\s*:\s*all)"
    r"|(?P<struck>text-decoration(?:-line)?\s*:[^;]*line-through)"
    r"|(?P<raised>vertical-align\s*:\s*super)"
    r"|(?P<lowered>vertical-align\s*:\s*sub)"
    r"|(?P<block>display\s*:\s*(?:block|flex|grid|list-item|table(?![-\w])))"
    r"|(?P<kept>white-space\s*:\s*(?:pre|break-spaces))",
    re.IGNORECASE,
)
_NOTE_LINKS = frozenset(("noteref", "doc-noteref"))


def effects_of(
    tag: str, attributes: Attributes, *, is_in_code: bool, reads_all: bool
) -> set[Effect]:
    """Return what an element does to the words in it.

    Args:
        tag: Its name.
        attributes: Its attributes.
        is_in_code: Numbers of lines are no text.
        reads_all: Menus and what the page hides are text.
    """
    found: set[Effect] = {EFFECTS[tag]} if tag in EFFECTS else set()
    if style := attributes.get("style"):
        found |= {cast(Effect, match.lastgroup) for match in _OF_STYLE.finditer(style)}
    if is_hidden(attributes):
        found.add("muted")
    if reads_all and tag not in SILENT:
        found.discard("muted")
    if is_in_code and is_line_number(attributes.get("class") or ""):
        found.add("muted")
    if tag == "a" and "#" in (attributes.get("href") or ""):
        found.add("link")
    if _NOTE_LINKS & {attributes.get("role"), attributes.get("epub:type")}:
        found.add("note")
    if tag in BLOCKS:
        found.discard("block")
    return found


def is_hidden(attributes: Attributes) -> bool:
    """Say whether an attribute hides an element, and not only until it is looked for."""
    return "hidden" in attributes and attributes["hidden"] != "until-found"
