"""Where the boxes and lines of the drawn decision path stand; the template draws them as SVG.

It knows how wide letters are (a Han character is two), and nothing of what they say.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

LINE_PX: Final = 20
# Columns of text that fit: about 7.4 px each in the template; a Han character takes two.
QUESTION_COLUMNS: Final = 40
FINDING_COLUMNS: Final = 56
MOST_LINES: Final = 4
_GAP_PX: Final = 26
_PADDING_PX: Final = 34


@dataclass(frozen=True, slots=True)
class Box:
    """One step as it is drawn.

    Attributes:
        number: Of the step.
        y: Upper edge, px.
        height: px.
        question: Lines of the question.
        verdict: The answer in words.
        finding: Lines of what it means.
        out: Lines that name the strategies ruled out here; empty where none does.
        known: Whether the step could be answered.
        chose: Whether the rule that chose speaks of this step.
    """

    number: int
    y: int
    height: int
    question: tuple[str, ...]
    verdict: str
    finding: tuple[str, ...]
    out: tuple[str, ...]
    known: bool
    chose: bool


@dataclass(frozen=True, slots=True)
class Drawing:
    """The whole path, top to bottom: the steps, then the outcome at `outcome_y`."""

    boxes: tuple[Box, ...]
    outcome: tuple[str, ...]
    outcome_y: int
    outcome_height: int
    height: int


def draw_path(
    steps: Sequence[Mapping[str, Any]],
    *,
    verdicts: Mapping[str, str],
    ruled_out: Sequence[str],
    outcome: str,
) -> Drawing:
    """Lay out the decision path.

    Args:
        steps: The five steps, as `advice_content` gives them.
        verdicts: The words for each verdict.
        ruled_out: For each step, the strategies that it rules out; may be empty.
        outcome: What stands in the last box.

    Returns:
        The drawing.
    """
    boxes, y = [], 10
    for step, names in zip(steps, ruled_out, strict=True):
        question = tuple(_wrap(step["question"], QUESTION_COLUMNS))
        finding = tuple(_wrap(step["finding"], FINDING_COLUMNS))
        out = tuple(_wrap(names, FINDING_COLUMNS))
        height = max(len(question) + 1, len(finding) + len(out)) * LINE_PX + _PADDING_PX
        boxes.append(
            Box(
                number=step["step"],
                y=y,
                height=height,
                question=question,
                verdict=verdicts[step["verdict"]],
                finding=finding,
                out=out,
                known=step["verdict"] != "unknown",
                chose=any(rule["chose"] for rule in step["rules"]),
            )
        )
        y += height + _GAP_PX
    lines = tuple(_wrap(outcome, FINDING_COLUMNS))
    outcome_height = len(lines) * LINE_PX + _PADDING_PX
    return Drawing(tuple(boxes), lines, y, outcome_height, y + outcome_height + 10)


def _wrap(text: str, columns: int) -> Iterator[str]:
    """Yield lines of at most `columns`; what is beyond `MOST_LINES` ends in an ellipsis."""
    lines, line, width = 0, "", 0
    for word in _words(text):
        span = sum(_columns(char) for char in word)
        if line and width + span > columns:
            lines += 1
            if lines == MOST_LINES:
                yield line.rstrip() + " …"
                return
            yield line.rstrip()
            line, width, word = "", 0, word.lstrip()
        line += word
        width += span
    if line.strip():
        yield line.rstrip()


def _words(text: str) -> Iterator[str]:
    """Yield the pieces a line may end after: words, Han characters, parts of very long words."""
    word = ""
    for char in text:
        word += char
        closes = char in "，。；：、？！）” "
        if char == " " or (_columns(char) == 2 and not closes) or len(word) >= 24:
            yield word
            word = ""
        elif closes:
            yield word
            word = ""
    if word:
        yield word


def _columns(char: str) -> int:
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
