"""The one internal row, and what is done with rows before training.

Knows conversations and their metadata; knows neither file formats nor tokenizers.
"""

import hashlib
import json
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, TypeVar

Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation.

    Attributes:
        role: Who says it.
        content: What is said.
        learned: Whether a loss is computed on it; false of an answer that is marked so.
    """

    role: Role
    content: str
    learned: bool = True

    def as_dict(self) -> dict[str, str]:
        """Return the turn as chat templates take it."""
        return {"role": self.role, "content": self.content}


@dataclass(frozen=True, slots=True)
class Row:
    """One training row: a conversation that ends with the assistant.

    Attributes:
        messages: An optional system turn first, then user and assistant in turn.
        meta: What else the row says: `source`, `kind`, `context`, `refusal`, `distractors`, …
        file: Where it was read.
        line: Its line (1-based), or in a JSON list and a Parquet file its place (1-based).
    """

    messages: tuple[Message, ...]
    meta: Mapping[str, object]
    file: Path
    line: int


@dataclass(frozen=True, slots=True)
class Pair:
    """One preference pair: a conversation up to a question, and two answers to it.

    Attributes:
        prompt: An optional system turn first, then turns that end with the user's.
        chosen: The preferred answer.
        rejected: The other one.
        meta: What else the row says, as in `Row`.
        file: Where it was read.
        line: As in `Row`.
    """

    prompt: tuple[Message, ...]
    chosen: Message
    rejected: Message
    meta: Mapping[str, object]
    file: Path
    line: int


class _HasMeta(Protocol):
    @property
    def meta(self) -> Mapping[str, object]: ...


AnyRow = TypeVar("AnyRow", bound=_HasMeta)
MAX_SOURCE_SHARE = 1 / 3  # of all rows: a source beyond it names a collection, not a document


@dataclass(frozen=True, slots=True)
class Example:
    """What one loss is computed on: everything before an answer, and the answer."""

    prompt: tuple[Message, ...]
    completion: Message


def to_examples(rows: Sequence[Row], *, mask_history: bool) -> list[Example]:
    """Return the examples of `rows`: one for each answer, or only for the last of each row.

    An answer that is not to be learned is none, wherever it stands.
    """
    examples = []
    for row in rows:
        answers = [i for i, message in enumerate(row.messages) if message.role == "assistant"]
        for i in answers[-1:] if mask_history else answers:
            if row.messages[i].learned:
                examples.append(Example(row.messages[:i], row.messages[i]))
    return examples


def hold_out(
    rows: Sequence[AnyRow], size: float, *, seed: int
) -> tuple[list[AnyRow], list[AnyRow]]:
    """Split `rows` into those to train on and those held out; rows of one source stay together.

    A source of more than a third of all rows cannot stay together in the held-out part without
    changing what is learned: it is read as the name of a collection, whose rows stand alone.

    Args:
        rows: All rows.
        size: A share below 1, or a number of rows.
        seed: Of the choice.

    Returns:
        The rows to train on and the held-out ones, each in file order. At least one row is left
        to train on; rows of one `source` can make the held-out part somewhat larger than asked.
    """
    wanted = round(size * len(rows)) if size < 1 else int(size)
    sources = [row.meta.get("source") for row in rows]
    sizes = Counter(map(str, sources))
    groups: dict[str, list[int]] = {}
    for i, source in enumerate(sources):
        is_document = source and sizes[str(source)] <= MAX_SOURCE_SHARE * len(rows)
        groups.setdefault(f"source {source}" if is_document else f"row {i}", []).append(i)
    names = sorted(groups)
    random.Random(seed).shuffle(names)
    held_out: set[int] = set()
    for name in names:
        if len(held_out) >= wanted or len(held_out) + len(groups[name]) >= len(rows):
            break
        held_out.update(groups[name])
    return (
        [row for i, row in enumerate(rows) if i not in held_out],
        [row for i, row in enumerate(rows) if i in held_out],
    )


def hash_rows(rows: Sequence[Row] | Sequence[Pair]) -> str:
    """Return the SHA-256 (hex) of the conversations in their order; files and metadata are out."""
    digest = hashlib.sha256()
    for row in rows:
        messages = row.messages if isinstance(row, Row) else (*row.prompt, row.chosen, row.rejected)
        turns = [
            [message.role, message.content, *([] if message.learned else [False])]
            for message in messages
        ]
        digest.update(json.dumps(turns, ensure_ascii=False).encode() + b"\n")
    return digest.hexdigest()
