"""What an adapter's folder records of the rows it was trained on, and which rows these are.

Digests alone: nothing of the rows can be read from them, but for a few examples. A row is known by
its folded question and by its folded answer. Knows rows; knows neither metrics nor models.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.data import Message, Pair, Row, common_answers
from adapters.data.copies import answer_of, fold_turns, question_of
from adapters.evaluation.metrics import read_pairs

TRAINED_ROWS_FILE = "evaluation_source.json"  # beside the adapter, written by its training run
MAX_EXAMPLES = 8  # recorded for few-shot prompts; more would not fit into small context windows
HASH_CHARS = 16  # of SHA-256: two of a million rows are alike by chance in 1 of 37 million cases


@dataclass(frozen=True, slots=True)
class TrainedRows:
    """What is recorded of the rows an adapter was trained on.

    Attributes:
        trained: Digests of whole rows, of adapters made before questions were recorded.
        questions: Digests of what was asked before each answer, folded.
        answers: Digests of folded answers, but for common ones, which say nothing about a row.
        values: Digests of (slot, value) pairs of JSON answers.
        tasks: The tasks these rows name; empty if they name none.
        examples: A few of them, for few-shot prompts.
    """

    trained: frozenset[str] = frozenset()
    questions: frozenset[str] = frozenset()
    answers: frozenset[str] = frozenset()
    values: frozenset[str] = frozenset()
    tasks: frozenset[str] = frozenset()
    examples: tuple[tuple[Message, ...], ...] = ()

    def has_asked(self, row: Row) -> bool:
        """Say whether the question of a row was trained on."""
        return _digest(question_of(row)) in self.questions or _digest_row(row) in self.trained

    def has_answered(self, row: Row) -> bool:
        """Say whether the answer of a row was trained on, with whatever question."""
        return _digest(answer_of(row)) in self.answers

    def has_value(self, pair: tuple[str, str]) -> bool:
        """Say whether a slot was trained with this value."""
        return _digest_pair(pair) in self.values


def record_trained_rows(
    folder: Path,
    trained: Sequence[Row] | Sequence[Pair],
    held_out: Sequence[Row] | Sequence[Pair] = (),
) -> None:
    """Write into an adapter's folder what its evaluation needs to know of the trained rows.

    Args:
        folder: Of the adapter.
        trained: The rows or pairs it was trained on; of a pair the preferred answer counts.
        held_out: Those held out; they only help to tell which answers are common.
    """
    rows = [as_row(row) for row in trained]
    common = common_answers([*rows, *map(as_row, held_out)])
    answers = {answer_of(row) for row in rows} - common
    pairs = {pair for row in rows for pair in read_pairs(row.messages[-1].content) or ()}
    content = {
        "questions": sorted({_digest(asked) for row in rows for asked in _questions(row)}),
        "answers": sorted(map(_digest, answers)),
        "values": sorted(map(_digest_pair, pairs)),
        "tasks": sorted(tasks_of(rows)),
        "examples": [
            [message.as_dict() for message in row.messages]
            for row in choose_examples(rows, MAX_EXAMPLES)
        ],
    }
    text = json.dumps(content, ensure_ascii=False)
    (folder / TRAINED_ROWS_FILE).write_text(text + "\n", encoding="utf-8")


def read_trained_rows(folder: Path) -> TrainedRows:
    """Return what was recorded; nothing of an adapter that came without it."""
    try:
        content: Any = json.loads((folder / TRAINED_ROWS_FILE).read_text(encoding="utf-8"))
        examples = tuple(
            tuple(Message(turn["role"], turn["content"]) for turn in turns)
            for turns in content["examples"]
        )
        digests = {
            key: frozenset(content.get(key, ()))
            for key in ("trained", "questions", "answers", "values", "tasks")
        }
        return TrainedRows(examples=examples, **digests)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return TrainedRows()


def choose_examples(rows: Sequence[Row], count: int) -> list[Row]:
    """Return up to `count` rows, spread over the shorter half in the order of the file."""
    short = sorted(rows, key=_length)[: max(count, (len(rows) + 1) // 2)]
    chosen = {id(row) for row in short}
    ordered = [row for row in rows if id(row) in chosen]
    step = max(1, len(ordered) // count) if count else 1
    return ordered[::step][:count]


def as_row(row: Any) -> Row:
    """Return a row as it is; of a pair its prompt with the preferred answer."""
    if not isinstance(row, Pair):
        assert isinstance(row, Row), "a method's rows are rows or pairs"
        return row
    return Row((*row.prompt, row.chosen), row.meta, row.file, row.line)


def tasks_of(rows: Sequence[Row]) -> set[str]:
    """Return the tasks that rows name."""
    return {task for row in rows if isinstance(task := row.meta.get("task"), str) and task}


def _questions(row: Row) -> Iterator[str]:
    """Yield what is asked before each answer of a row, folded."""
    for i, message in enumerate(row.messages):
        if message.role == "assistant":
            yield fold_turns(row.messages[:i])


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:HASH_CHARS]


def _digest_pair(pair: tuple[str, str]) -> str:
    return _digest(json.dumps(pair, ensure_ascii=False))


def _digest_row(row: Row) -> str:
    turns = [[message.role, message.content] for message in row.messages]
    return _digest(json.dumps(turns, ensure_ascii=False))


def _length(row: Row) -> int:
    return sum(len(message.content) for message in row.messages)
