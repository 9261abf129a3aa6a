"""Labelled messages to fit on: those that ship, and what labelled questions say of kinds."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from router.classes import MessageKind, QuestionClass
from router.questions.kinds.fitting import LabelledMessage
from router.questions.quality import LabelledQuestion
from router.questions.signals import read_signals

FILE: Final = Path(__file__).with_name("messages.jsonl")
QUESTIONS_FILE: Final = FILE.parents[1] / "labelled.jsonl"

# What needs sources, and what is to be done; small talk is labelled finer among the messages.
_KINDS: Final = {
    QuestionClass.NEEDS_KNOWLEDGE: MessageKind.KNOWLEDGE,
    QuestionClass.OUT_OF_SCOPE: MessageKind.KNOWLEDGE,
    QuestionClass.TASK: MessageKind.ERRAND,
}


def labelled_messages() -> list[LabelledMessage]:
    """Return the messages that ship, then the questions that do, in the order of their files."""
    rows = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]
    lines = QUESTIONS_FILE.read_text(encoding="utf-8").splitlines()
    questions = (
        LabelledQuestion(row["query"], QuestionClass(row["label"]), row["lang"])
        for row in map(json.loads, lines)
    )
    return [
        *(LabelledMessage(row["message"], MessageKind(row["kind"]), row["lang"]) for row in rows),
        *as_messages(questions),
    ]


def as_messages(questions: Iterable[LabelledQuestion]) -> list[LabelledMessage]:
    """Return the labelled questions whose class tells their kind, in their order.

    Tasks on a text, texts to be written and what a rule takes for another kind are left out.
    """
    found = []
    for row in questions:
        signals = read_signals(row.query)
        is_other = signals.needs_no_sources is not None or signals.wording_asked
        kind = _KINDS.get(row.label)
        if kind is not None and not is_other and signals.format is None:
            found.append(LabelledMessage(row.query, kind, row.language))
    return found
