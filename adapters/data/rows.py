"""The one internal row, and what is done with rows before training.

Knows conversations and their metadata; knows neither file formats nor tokenizers.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

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
