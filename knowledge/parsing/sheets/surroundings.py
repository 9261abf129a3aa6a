"""What stands around the cells of a sheet: printed headers and footers, comments, controls.

It knows which of them are words and which are told; it does not know cells.
"""

import re
from collections import Counter

from knowledge.parsing.package import Package
from knowledge.parsing.sheets.places import some
from knowledge.parsing.writer import BlockWriter

HEADERS, FOOTERS = (
    ("oddHeader", "evenHeader", "firstHeader"),
    ("oddFooter", "evenFooter", "firstFooter"),
)
DRAWN = {"pic": "picture", "graphicFrame": "chart", "txBody": "text box"}
CONTROLS = {
    "CheckBox": "check box", "Radio": "option button", "Drop": "list to choose from",
    "List": "list to choose from", "EditBox": "field", "Scroll": "scroll bar", "Spin": "spinner",
}  # fmt: skip
STATES = {"Checked": "checked", "Mixed": "partly checked"}
_PARTS = re.compile(r"&[LCR]")
_CODES = re.compile(r'&(?:"[^"]*"|K[0-9A-Fa-f]{6}|K\d\d[+-]\d{3}|\d{1,3}|[A-Za-z+-])')
_COUNTS = re.compile(r"&[PNDT]")  # the page, how many, day and time of printing


def words_around(text: str, title: str) -> str:
    """Return the words of a printed header or footer, without those that count pages.

    Args:
        text: With its codes (ECMA-376 18.3.1.39).
        title: Of the sheet, which a code may stand for.
    """
    words = []
    for part in _PARTS.split(text.replace("&&", "\x00")):
        if not _COUNTS.search(part):
            shown = _CODES.sub("", part.replace("&A", title)).replace("\x00", "&")
            words.append(" ".join(shown.split()))
    return " – ".join(filter(None, words))


def tell_surroundings(writer: BlockWriter, package: Package, part: str, title: str) -> None:
    """Tell what of a sheet is neither a cell nor read."""
    for comments in package.related(part, ("comments",)):
        events = package.events(comments)
        places = [e.attributes.get("ref", "") for e in events if e[:2] == ("start", "comment")]
        writer.leave_out("comment", f"{title}, {some(places)}", "comments are not read")
    for drawing in package.related(part, ("drawing",)):
        drawn = Counter(e.name for e in package.events(drawing) if e.kind == "start")
        for name, what in DRAWN.items():
            if count := drawn[name]:
                writer.leave_out(what, title, f"{count} not read: only cells are")
    for _ in package.related(part, ("pivotTable",)):
        writer.leave_out("pivot table", title, "read as shown, without what it counts")
    if objects := package.related(part, ("oleObject", "package", "control")):
        writer.leave_out(
            "embedded object", title, f"{len(objects)} not opened: only cells are read"
        )
    _tell_controls(writer, package, part, title)


def _tell_controls(writer: BlockWriter, package: Package, part: str, title: str) -> None:
    """Tell the controls of a form, and which boxes are checked."""
    states: dict[str, Counter[str]] = {}
    for control in package.related(part, ("ctrlProp",)):
        for kind, name, attributes in package.events(control):
            what = CONTROLS.get(attributes.get("objectType", ""), "")
            if kind == "start" and name == "formControlPr" and what:
                state = STATES.get(attributes.get("checked", ""), "empty")
                states.setdefault(what, Counter())[state] += 1
    for what, counted in states.items():
        has_state = what in ("check box", "option button")
        told = ", ".join(f"{count} {state}" for state, count in counted.items())
        count = told if has_state else str(counted.total())
        writer.leave_out(what, title, f"{count}: controls of a form are not read, only cells are")
