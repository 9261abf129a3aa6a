"""What is shown of an answer while it is written: clean text, as soon as nothing can change it.

A piece may end in the middle of a marker, or of code in which a number in brackets is data: that
part is held back until what follows decides it. All that was shown is the beginning of the whole
answer, as `cite` returns it. It knows text; it does not know events.
"""

import re
from collections.abc import Sequence

from knowledge import Passage
from service.chat.citations import CODE, JSON_START, SENTENCE_END, CiteMode, cite, clean

PENDING = re.compile(r"\s?(?:\[\d{0,3})?\Z")
OPEN_CODE = re.compile(r"`[^`\n]*\Z")
ENDS = frozenset("].!?。！？；\n")


class ShownText:
    """The text of one answer so far."""

    def __init__(self, passages: Sequence[Passage], mode: CiteMode, *, must_cite: bool) -> None:
        """Start without a text.

        Args:
            passages: What the model was given.
            mode: How sources are shown.
            must_cite: Nothing is shown before the answer rests on a passage.
        """
        self._passages = passages
        self._mode = mode
        self._text = ""
        self._shown = 0
        self._waits = must_cite

    def add(self, piece: str) -> str:
        """Take the next piece of the model's text and return what can be shown now."""
        self._text += piece
        if not self._passages:
            return piece
        if self._waits and ENDS.isdisjoint(piece):
            return ""
        if self._waits and not self._is_cited():
            return ""
        self._waits = False
        return self._new(self._text[: _decided(self._text)])

    def rest(self) -> str:
        """Return what was held back, once the answer is whole."""
        return self._new(self._text) if self._passages else ""

    def _new(self, decided: str) -> str:
        text, _asked = clean(decided, len(self._passages), self._mode)
        new = text[self._shown :]
        self._shown = len(text)
        return new

    def _is_cited(self) -> bool:
        """Return whether the whole sentences so far rest on a passage; JSON is seen whole only."""
        if JSON_START.match(self._text):
            return False
        ends = [end.end() for end in SENTENCE_END.finditer(self._text)]
        whole = self._text[: ends[-1]] if ends else ""
        _text, marked = clean(self._text, len(self._passages), self._mode)
        is_marked = any(1 <= number <= len(self._passages) for number in marked)
        return is_marked or bool(cite(whole, self._passages, "list").citations)


def _decided(text: str) -> int:
    """Return how much of `text` reads the same whatever follows."""
    held = PENDING.search(text)
    end = len(text) if held is None else held.start()
    if "`" in text and not JSON_START.match(text):
        outside = CODE.split(text)[-1]
        if opened := OPEN_CODE.search(outside):
            end = min(end, len(text) - len(outside) + opened.start())
    return end
