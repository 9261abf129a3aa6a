"""What elements of a web page, and their styles, do to the words in them.

It knows names of elements, attributes and styles of an element itself; what style sheets do is in
`styles`.
"""

import re
from typing import Literal, cast

from knowledge.parsing.html.code import is_line_number
from knowledge.parsing.html.lists import LISTS, Attributes
from knowledge.parsing.html.styles import OF_STYLE, SHOWN, StyleSheet, is_unseen
from knowledge.parsing.words.symbols import is_symbol_font

Effect = Literal[
    "muted", "struck", "raised", "lowered", "code", "pre", "block", "kept", "link", "note",
    "reading", "signs",
]  # fmt: skip

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
    ("script", "style", "template", "noscript", "svg", "math", "iframe", "rp", *PLAYED)
)
MENU = "nav"
OF_WORDS = frozenset(("span", "font", "p", "b", "i", "em", "strong", "small", "a", "li", "td"))
"""What holds words and no layout: there a size of 0 is no trick against spaces between columns."""
EFFECTS: dict[str, Effect] = {
    MENU: "muted",
    **dict.fromkeys(SILENT, "muted"),
    **dict.fromkeys(("rt", "rtc"), "reading"),
    **dict.fromkeys(("del", "s", "strike"), "struck"),
    **dict.fromkeys(("pre", "textarea", "listing", "xmp"), "pre"),
    **dict.fromkeys(("code", "samp", "kbd"), "code"),
    "sup": "raised",
    "sub": "lowered",
}
_OF_STYLE = re.compile(
    OF_STYLE
    + r"|(?P<block>display\s*:\s*(?:block|flex|grid|list-item|table(?![-\w])))"
    + r"|(?P<kept>white-space\s*:\s*(?:pre|break-spaces))",
    re.IGNORECASE,
)
_FONT = re.compile(
    r"font(?:-family\s*:|\s*:[^;,\"']*?\d[\w%./]*)\s*[\"']?([^;,\"']+)", re.IGNORECASE
)
_NOTE_LINKS = frozenset(("noteref", "doc-noteref"))


def effects_of(
    tag: str, attributes: Attributes, sheet: StyleSheet, *, is_in_code: bool, reads_all: bool
) -> set[Effect]:
    """Return what an element does to the words in it.

    Args:
        tag: Its name.
        attributes: Its attributes.
        sheet: The style sheets of the page.
        is_in_code: Numbers of lines are no text.
        reads_all: Menus and what the page hides are text.
    """
    found: set[Effect] = {EFFECTS[tag]} if tag in EFFECTS else set()
    found |= sheet.effects(tag, attributes)
    if attributes:
        _add_attributes(found, tag, attributes)
    if reads_all and tag not in SILENT:
        found.discard("muted")
    if is_in_code and is_line_number(attributes.get("class") or ""):
        found.add("muted")
    if tag in BLOCKS:
        found.discard("block")
    return found


def _add_attributes(found: set[Effect], tag: str, attributes: Attributes) -> None:
    """Add what the attributes of an element do."""
    if style := attributes.get("style"):
        if "muted" in found and SHOWN.search(style):
            found.discard("muted")
        found |= {cast(Effect, match.lastgroup) for match in _OF_STYLE.finditer(style)}
        if tag in OF_WORDS and is_unseen(style):
            found.add("muted")
    role = attributes.get("role")
    if is_hidden(attributes) or role == "navigation":
        found.add("muted")
    if "shadowrootmode" in attributes:
        found.discard("muted")  # a template that is shown
    if sign_font(tag, attributes):
        found.add("signs")
    if tag == "a" and "#" in (attributes.get("href") or ""):
        found.add("link")
    if _NOTE_LINKS & {role, attributes.get("epub:type")}:
        found.add("note")


def sign_font(tag: str, attributes: Attributes) -> str:
    """Return the font of an element whose letters are signs; empty for any other."""
    style = attributes.get("style")
    found = _FONT.search(style) if style else None
    face = (attributes.get("face") or "").split(",")[0] if tag == "font" else ""
    font = (found[1] if found else face).strip()
    return font if font and is_symbol_font(font) else ""


def is_hidden(attributes: Attributes) -> bool:
    """Say whether an attribute hides an element, and not only until it is looked for."""
    return "hidden" in attributes and attributes["hidden"] != "until-found"
