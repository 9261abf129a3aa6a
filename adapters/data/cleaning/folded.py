"""A row as rows are compared: what it asks and answers, folded.

Knows rows; does not know which of them are copies.
"""

import json
import re
from dataclasses import dataclass
from functools import lru_cache

from adapters.data.folding import fold
from adapters.data.rows import Message, Row

MAX_LABEL_LETTERS = 10  # own choice: one letter more or less makes another label, not a typo
# Folding drops them; between operands they are what code and sums are about.
_OPERATOR = re.compile(r"[-*/](?:(?<=\w [-*/])(?= \w)|(?<=\b\w[-/])(?=\w\b)|(?<=\w\*)(?=\w))")


@dataclass(frozen=True, slots=True)
class FoldedRow:
    """What of a row counts when it is compared.

    Attributes:
        system: Its system turn, which may hold passages; empty without one.
        question: Every turn between the system turn and the last answer, one a line.
        answer: The last answer, and after it the rejected one of a pair; JSON by its value.
        is_label: Whether the answer is JSON, a word, or a few letters to a single question: one
            that is nearly the same is another one.
        operators: Minus, times and divided by in question and answer, one after the other.
    """

    system: str
    question: str
    answer: str
    is_label: bool
    operators: str


def fold_row(row: Row) -> FoldedRow:
    """Return what of a row counts when it is compared."""
    rejected = row.meta.get("rejected")
    return _fold_row(row.messages, rejected if isinstance(rejected, str) else "")


def must_be_equal(row: FoldedRow) -> tuple[str, str, str]:
    """Return what of two rows must be equal for one to be nearly the other."""
    return row.system, row.operators, row.answer if row.is_label else ""


@lru_cache(maxsize=4096)  # steps that follow each other ask for the same rows
def _fold_row(messages: tuple[Message, ...], rejected: str) -> FoldedRow:
    has_system = messages[0].role == "system"
    asked = messages[1:-1] if has_system else messages[:-1]
    said = messages[-1].content
    value = _read_json(said)
    answer = _fold_any(said if value is None else value)
    is_word = said.isascii() and len(said.split()) == 1
    return FoldedRow(
        _fold_any(messages[0].content) if has_system else "",
        "\n".join(_fold_any(turn.content) for turn in asked),
        f"{answer}\n{_fold_any(rejected)}" if rejected else answer,
        is_word or value is not None or (len(asked) == 1 and len(answer) <= MAX_LABEL_LETTERS),
        "".join(_find_operators(turn.content) for turn in (*asked, messages[-1])),
    )


def _find_operators(text: str) -> str:
    return "".join(_OPERATOR.findall(text))


def _fold_any(text: str) -> str:
    """Return a text folded; as it is where nothing would be left of it."""
    return fold(text) or text.strip()


def _read_json(text: str) -> str | None:
    """Return a JSON object or list in one way of writing it; None for anything else."""
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        return json.dumps(json.loads(text), sort_keys=True, ensure_ascii=False)
    except (ValueError, RecursionError):
        return None
