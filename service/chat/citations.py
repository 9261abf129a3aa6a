"""Ties an answer to the passages it was written from.

It knows markers and word overlap; it does not know how passages were found. Every citation
resolves to a passage that the model was given: markers that do not are removed and counted.
"""

import json
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from knowledge import Passage

CiteMode = Literal["inline", "list", "none"]

MARKER = re.compile(r"\s?\[(\d{1,3})\]")
# In code, and in JSON outside its texts, a number in brackets is data and no marker.
CODE = re.compile(r"(```.*?(?:```|\Z)|`[^`\n]*`)", re.DOTALL)
JSON_START = re.compile(r"\s*(?:\{|\[\s*[{\[\"])")
JSON_TEXT = re.compile(r'("(?:[^"\\]|\\.)*(?:"|\Z))')
SENTENCE_END = re.compile(r"(?<=[.!?])\s+|(?<=[。！？；])|\n+")
WORD = re.compile(r"[a-z0-9]+(?:[.,:'-][a-z0-9]+)*")
HAN_RUN = re.compile(r"[\u3400-\u9fff]+")
# A sentence that copies a stated fact shares more than half of its content words with the
# passage; two unrelated help-desk sentences share about a fifth (own measurement, demo handbook).
ATTRIBUTION_FLOOR = 0.5
MIN_SHARED_WORDS = 2
STOP_WORDS = frozenset(
    "a an and are as at be by can do does for from has have how i if in is it its may of on or "
    "our so that the their them there they this to us was we what when which will with you your "
    "not no".split()
)


@dataclass(frozen=True, slots=True)
class Citation:
    """One passage that the answer rests on, and how that is known."""

    marker: int
    passage: Passage
    by: Literal["marker", "attribution"]


@dataclass(frozen=True, slots=True)
class CitedAnswer:
    """The answer as shown, its citations by number, and how many markers were false."""

    text: str
    citations: tuple[Citation, ...]
    markers_removed: int


def cite(answer: str, passages: Sequence[Passage], mode: CiteMode) -> CitedAnswer:
    """Return `answer` with only the markers that resolve, and its citations.

    Args:
        answer: The model's text.
        passages: What the model was given; passage n has marker n. Without any, a number in
            brackets is text.
        mode: `inline` keeps markers in the text, `list` takes them out, `none` cites nothing.
    """
    text, asked = clean(answer, len(passages), mode)
    valid = sorted({number for number in asked if 1 <= number <= len(passages)})
    removed = sum(not 1 <= number <= len(passages) for number in asked)
    if mode == "none" or not passages:
        return CitedAnswer(text, (), removed)
    if valid:
        found = [Citation(number, passages[number - 1], "marker") for number in valid]
    else:
        numbers = _attribute(text, passages)
        found = [Citation(number, passages[number - 1], "attribution") for number in numbers]
    return CitedAnswer(text, tuple(found), removed)


def clean(answer: str, passages: int, mode: CiteMode) -> tuple[str, list[int]]:
    """Return `answer` without the markers that are not to be shown, and the numbers it names.

    Data and code stay as they are, and so does everything where there are no `passages`.
    """
    asked: list[int] = []
    if not passages or "[" not in answer:
        return answer, asked

    def keep(marker: re.Match[str]) -> str:
        number = int(marker[1])
        asked.append(number)
        return marker[0] if mode == "inline" and 1 <= number <= passages else ""

    is_json = JSON_START.match(answer) is not None
    pieces = (JSON_TEXT if is_json else CODE).split(answer)
    first = 1 if is_json else 0  # the split puts texts, or code, at the odd places
    pieces[first::2] = [MARKER.sub(keep, piece) for piece in pieces[first::2]]
    return "".join(pieces), asked


def _parsed(answer: str) -> Any:
    """Return the JSON value that `answer` is, or else `answer`."""
    try:
        return json.loads(answer)
    except (ValueError, RecursionError):
        return answer


def _attribute(answer: str, passages: Sequence[Passage]) -> list[int]:
    """Return the numbers of the passages that some sentence of `answer` repeats."""
    vocabularies = [_words(passage.text) for passage in passages]
    numbers = set()
    for sentence in _sentences(answer):
        words = _words(sentence)
        if not words:
            continue
        shared = [len(words & vocabulary) for vocabulary in vocabularies]
        best = max(range(len(shared)), key=shared.__getitem__, default=None)
        if best is None or shared[best] < MIN_SHARED_WORDS:
            continue
        if shared[best] / len(words) >= ATTRIBUTION_FLOOR:
            numbers.add(best + 1)
    return sorted(numbers)


def _sentences(answer: str) -> Iterator[str]:
    for text in _texts(_parsed(answer)):
        yield from SENTENCE_END.split(text)


def _texts(value: Any) -> Iterator[str]:
    """Yield every text in a parsed JSON answer, or the answer itself."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _words(text: str) -> frozenset[str]:
    """Return content words and Han pairs, folded as the lexical index folds them."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    words = {word for word in WORD.findall(folded) if word not in STOP_WORDS}
    for run in HAN_RUN.findall(folded):
        words.update(run[i : i + 2] for i in range(max(1, len(run) - 1)))
    return frozenset(words)
