"""The links and images of an answer, limited to addresses that the model was given.

A text that the model read can tell it to write an image whose address carries what it knows: a
reader's program fetches it unasked. Only the label of such a link stays, and an address in the
running text is no longer one. Code between ``` lines stays as it is; in other code and in JSON
a bare address stays, a link or an image does not. It knows Markdown and HTML as far as they lead
somewhere; it does not know where the addresses are from.
"""

import re

from service.chat.links import addresses

_NESTED = r"\[[^\[\]\n]{0,300}\](?:\([^()\n]{0,2000}\))?"
_LABEL = rf"(?:[^\[\]\n]|{_NESTED}){{0,300}}"
_INSIDE = r"(?:[^()\n]|\([^()\n]{0,500}\)){0,2000}"
_ATTRIBUTES = r"(?:\"[^\"\n]*\"|'[^'\n]*'|[^<>\"'\n])*"
_PARTS = re.compile(
    rf"(?P<number>\[\d{{1,3}}\])\((?P<target>{_INSIDE})\)"
    rf"|!?\[(?P<label>{_LABEL})\]\((?P<inside>{_INSIDE})\)"
    r"|<(?P<auto>[A-Za-z][A-Za-z0-9+.-]{1,31}:[^\s<>:][^\s<>]*)>"
    rf"|(?P<tag><[A-Za-z/!?]{_ATTRIBUTES}>)"
)
_VALUE = re.compile(r"=\s*(\"[^\"]*\"?|'[^']*'?|[^\s>]*)")
_CODE = re.compile(r"(?<![\\`])(`+)(?!`)[^\n]*?(?<!`)\1(?!`)")
_FENCE = re.compile(r"(`{3,})[^`\n]*\n|(~{3,})[^\n]*\n")
_DOUBTFUL = re.compile(r"\s*<|.*(?:```|~~~)")  # HTML, or a fence that a list or a quote may end
_JSON = re.compile(r"\s*(?:\{|\[\s*[{\[\"])")
_NOT_YET_JSON = re.compile(r"\s*(?:\[\s*)?\Z")
_JSON_ESCAPE = re.compile(  # of a sign that JSON need not escape
    r"(?<!\\)((?:\\\\)*)\\u00(2[013-9a-fA-F]|[346][0-9a-fA-F]|5[0-9abd-fABD-F]|7[0-9a-eA-E])"
)
MOST_HELD = 20  # parts that are open at once; an ordinary answer has two
MOST_OPEN = 5_000  # letters of a part that is open: those of `_PARTS` are shorter
LONG_LINE = 160  # letters, of which the beginning is not read again with every piece
_BEFORE = re.compile(r"[A-Za-z0-9:/\\.]\Z")  # what could go on as an address
_AFTER = re.compile(r"[A-Za-z0-9/\\]|\.[\w-]")
_SPACE = re.compile(r"[\s，；！？]|。(?=[^A-Za-z0-9])")
_SIGN = re.compile(r"[\[<:&\\.`]")  # a text without any has no link, image, tag or address
# Whole words of which nothing can become a part of a link, whatever follows.
_PLAIN = re.compile(r"(?:[^\n\[<:&\\.`!]|[.:!](?=\s)|\[\d{1,3}\](?=\s))*[ \t，；！？]")
_WORDS = ("https", "ftp", "mailto", "www.")
_PREFIXES = "|".join(sorted({word[:n] for word in _WORDS for n in range(1, len(word) + 1)}))
_PARTIAL = r"(?:&[#\w]{0,8};?|\\u?[0-9a-fA-F]{0,4})"
# What ends in one of these may still become a link.
_OPEN = re.compile(
    rf"(?=[!\[(<:&\\.fhmwFHMW])(?:!|!?\[{_LABEL}(?:\[[^\[\]\n]*(?:\](?:\([^()\n]*)?)?)?"
    rf"|!?\[(?!\d{{1,3}}\]){_LABEL}\](?:\({_INSIDE}(?:\([^()\n]*)?)?"
    rf"|(?<=\d\])\({_INSIDE}(?:\([^()\n]*)?"
    rf"|<(?:[A-Za-z/!?]{_ATTRIBUTES}(?:\"[^\"\n]*|'[^'\n]*)?)?"
    rf"|(?<![A-Za-z0-9+.-])(?i:{_PREFIXES})(?:{addresses.COLON}|{_PARTIAL})?"
    rf"|(?:{addresses.KNOWN}|{addresses.COLON}){addresses.SLASH}*{addresses.REST}"
    r"(?:\([^()\s]*)?(?:[^\x00-\x7f]|\])?"
    rf"|(?<=[)>])\.|:|{_PARTIAL}"
    r")\Z"
)


class LinkFilter:
    """The text of one answer, of which each finished line is looked at once."""

    def __init__(self, allowed: frozenset[str] | None) -> None:
        """Start without a text.

        Args:
            allowed: What `addresses_in` found where links may come from; None: all may stay.
        """
        self._allowed = allowed
        self._head = ""  # until it is known whether the answer is JSON
        self._is_json: bool | None = None
        self._line = ""
        self._forgotten = ""  # of a long line, already shown
        self._shown = 0  # of what becomes of the line
        self._fence: str | None = None
        self._trusts_fences = True

    def add(self, piece: str) -> str:
        """Take the next piece of the model's text and return what nothing can change any more."""
        if self._allowed is None:
            return piece
        if self._is_json is None:
            self._head += piece
            if _NOT_YET_JSON.match(self._head):
                return ""
            self._is_json = _JSON.match(self._head) is not None
            piece, self._head = self._head, ""
        *lines, rest = piece.split("\n")
        return "".join(self._finish(f"{line}\n") for line in lines) + self._go_on(rest)

    def rest(self) -> str:
        """Return what was held back, once the answer is whole."""
        if self._is_json is None:
            head, self._head, self._is_json = self._head, "", False
            return head
        return self._finish("")

    def _finish(self, end: str) -> str:
        """Return what of a line was not shown yet, its `end` added."""
        self._line += end
        plain = self._take_plain()
        new = plain + self._clean(self._line)[self._shown :]
        self._note_fence(self._forgotten + self._line)
        self._line, self._forgotten, self._shown = "", "", 0
        return new

    def _go_on(self, more: str) -> str:
        self._line += more
        plain = self._take_plain()
        if not self._line:
            return plain
        decided = self._line[: self._decided()]
        new = self._clean(decided)[self._shown :]
        self._shown += len(new)
        if len(decided) > LONG_LINE and self._fence is None:
            self._forget(decided)
        return plain + new

    def _take_plain(self) -> str:
        """Drop the plain words at the beginning of the line, and return what is new of them."""
        if self._is_json:  # shown without escapes, so it is held back without them
            self._line = _JSON_ESCAPE.sub(_letter, self._line)
        words = None if self._fence is not None else _PLAIN.match(self._line)
        if words is None:
            return ""
        new = words[0][self._shown :]
        self._shown = max(0, self._shown - words.end())
        self._forgotten += words[0]
        self._line = self._line[words.end() :]
        return new

    def _forget(self, decided: str) -> None:
        """Drop the beginning of a long line, up to a space or stop outside of parts and code."""
        end = max((space.end() for space in _SPACE.finditer(decided)), default=0)
        parts = [*_PARTS.finditer(decided), *_CODE.finditer(decided)]
        if end and not any(part.start() < end < part.end() for part in parts):
            self._shown -= len(self._clean(decided[:end]))
            self._forgotten += self._line[:end]
            self._line = self._line[end:]

    def _note_fence(self, line: str) -> None:
        """Remember whether code begins or ends with `line`.

        Only where every reader of Markdown sees the same: behind HTML, or a fence in a list or a
        quote, no code is believed.
        """
        if self._fence is not None:
            ending = line.strip(" \t\n")
            is_end = ending.startswith(self._fence) and not ending.strip(self._fence[0])
            if is_end and len(line) - len(line.lstrip(" ")) <= 3:
                self._fence = None
        elif not self._is_json and self._trusts_fences:
            opened = _FENCE.fullmatch(line)
            self._fence = None if opened is None else opened[1] or opened[2]
            self._trusts_fences = opened is not None or not _DOUBTFUL.match(line)

    def _clean(self, line: str) -> str:
        if self._fence is not None or not _SIGN.search(line):
            return line
        if self._is_json:
            return self._in_code(_JSON_ESCAPE.sub(_letter, line))
        shown, end = "", 0
        for code in _CODE.finditer(line):
            shown += self._in_text(line[end : code.start()]) + self._in_code(code[0])
            end = code.end()
        return shown + self._in_text(line[end:])

    def _in_text(self, text: str) -> str:
        assert self._allowed is not None
        shown, end = "", 0
        for part in _PARTS.finditer(text):
            shown += addresses.with_only(text[end : part.start()], self._allowed)
            shown += self._part(part, is_text=True, before=shown)
            end = part.end()
        return shown + addresses.with_only(text[end:], self._allowed)

    def _in_code(self, text: str) -> str:
        """Return code, or JSON, without links and images; a bare address cannot be followed."""
        shown, end = "", 0
        for part in _PARTS.finditer(text):
            shown += text[end : part.start()]
            shown += self._part(part, is_text=False, before=shown)
            end = part.end()
        return shown + text[end:]

    def _part(self, part: re.Match[str], *, is_text: bool, before: str) -> str:
        """Return a link, image or tag if it may stay, or what is read of it."""
        if part["number"]:
            return part[0] if self._may_lead_to(part["target"]) else part["number"]
        if part["auto"]:
            is_kept = addresses.same(part["auto"]) in (self._allowed or ())
            return part[0] if is_kept else _apart(addresses.plain(part["auto"]), part, before)
        if part["tag"]:
            values = (value[1].strip("\"'") for value in _VALUE.finditer(part["tag"]))
            is_kept = all(map(self._may_lead_to, values))
            return part[0] if is_kept else _apart("", part, before)
        label = (self._in_text if is_text else self._in_code)(part["label"])
        if self._may_lead_to(part["inside"]):
            return f"{'!' * part[0].startswith('!')}[{label}]({part['inside']})"
        if label.count("(") != label.count(")"):
            label = label.replace("(", "").replace(")", "")
        return _apart(label.replace("<", "").replace(">", ""), part, before)

    def _may_lead_to(self, inside: str) -> bool:
        """Return whether the target of a link, and what stands beside it, leads nowhere else."""
        allowed = self._allowed or frozenset()
        words = (word.replace('\\"', "").strip("<>\"'") for word in inside.split())
        return all(
            addresses.same(word) in allowed or not addresses.is_absolute(word) for word in words
        )

    def _decided(self) -> int:
        """Return how much of the line so far reads the same whatever follows."""
        line = self._line
        if self._fence is not None:
            return len(line)
        if not self._is_json and "`" in line:
            line = _CODE.sub(_blank, line)  # what is open in code that is whole matters no more
        tick = -1 if self._is_json else line.find("`")
        end = len(line) if tick < 0 else tick
        for _ in range(MOST_HELD):  # what is held decides what stands right before it
            held = _OPEN.search(line, max(0, end - MOST_OPEN), end)
            if held is None:
                return end
            end = held.start()
        return 0  # until the line is whole


def limited(answer: str, allowed: frozenset[str] | None) -> str:
    """Return a whole answer with only the links that are `allowed`; None allows all."""
    stream = LinkFilter(allowed)
    return stream.add(answer) + stream.rest()


def _apart(label: str, part: re.Match[str], before: str) -> str:
    """Return what stays of a part, with spaces where it would make an address with the rest."""
    if not label:
        return "" if not before or before[-1].isspace() else " "
    first = " " if _BEFORE.search(before) else ""
    last = " " if _AFTER.match(part.string, part.end()) else ""
    return f"{first}{label}{last}"


def _letter(escape: re.Match[str]) -> str:
    return f"{escape[1]}{chr(int(escape[2], 16))}"


def _blank(code: re.Match[str]) -> str:
    """Return spaces in place of code; more backticks may come where it is the last."""
    return code[0] if code.end() == len(code.string) else " " * len(code[0])
