"""The fitted classifier of kinds: one weight for each kind and dimension of an embedder's vector.

A file serves the one embedder whose vectors it was fitted on. It does not know how a vector is
made, how the numbers were fitted (`fitting.py`), nor what follows from a kind (`effect.py`).
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import mul
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from router.classes import MessageKind
from router.errors import InvalidClassifier

FORMAT: Final = "fingerpost kind classifier 1"
UNIT: Final = 1000  # numbers in the file are whole thousandths
NEEDS_SOURCES: Final = frozenset({MessageKind.KNOWLEDGE, MessageKind.ERRAND})
SHIPPED: Final = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class KindGuess:
    """What the classifier says of one message.

    Attributes:
        kind: The likeliest kind; where it is certain, the likeliest of those without sources.
        confidence: Probability that the message needs no sources, 0 to 1.
        is_certain: It needs none, surely enough to act on.
        is_question: As surely it needs some.
    """

    kind: MessageKind
    confidence: float
    is_certain: bool
    is_question: bool = False


class KindClassifier(BaseModel):
    """A classifier's file.

    Attributes:
        embedder: Name of the embedder whose vectors it reads.
        revision: Revision of that embedder.
        kinds: The kinds, in the order of `bias` and `weights`.
        certain_from: Least confidence that is acted on; one less it, as a question.
        bias: In thousandths.
        weights: One row for each kind, one column for each dimension, in thousandths.
        figures: How well rows were told apart that it was not fitted on.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)

    format: str
    made_by: str
    notice: tuple[str, ...] = ()
    embedder: str
    revision: str
    figures: dict[str, Any]
    kinds: tuple[MessageKind, ...]
    certain_from: float
    bias: tuple[int, ...]
    weights: tuple[tuple[int, ...], ...]

    @model_validator(mode="after")
    def _check(self) -> KindClassifier:
        if self.format != FORMAT:
            raise ValueError(f"`format` is {self.format!r}, this version reads {FORMAT!r}")
        size = len(self.kinds)
        if size < 2 or len(set(self.kinds)) != size:
            raise ValueError("`kinds` must name two or more kinds, each once")
        if len(self.bias) != size or len(self.weights) != size:
            raise ValueError("`bias` and `weights` must have one entry for each of `kinds`")
        if len({len(row) for row in self.weights}) != 1 or not self.weights[0]:
            raise ValueError("the rows of `weights` must be equally long, and not empty")
        return self

    @property
    def dimension(self) -> int:
        """Length of the vectors it reads."""
        return len(self.weights[0])

    def reads(self, embedder: str, revision: str) -> bool:
        """Return whether it was fitted on this embedder's vectors."""
        return (embedder, revision) == (self.embedder, self.revision)

    def guess(self, vector: Sequence[float], *, answered: bool) -> KindGuess:
        """Return what a message wants.

        Args:
            vector: Of the message, as a question: (dimension,), L2-normalised.
            answered: Whether an answer stands before it; else it cannot be about the last one.
        """
        shares = self._probabilities(vector)
        if not answered:
            shares.pop(MessageKind.LAST_ANSWER, None)
        without = {kind: share for kind, share in shares.items() if kind not in NEEDS_SOURCES}
        confidence = sum(without.values())
        is_certain = confidence >= self.certain_from
        among = without if is_certain else shares
        return KindGuess(
            max(among, key=among.__getitem__),
            confidence,
            is_certain,
            is_question=confidence <= 1 - self.certain_from,
        )

    def _probabilities(self, vector: Sequence[float]) -> dict[MessageKind, float]:
        logits = [
            (bias + sum(map(mul, row, vector))) / UNIT
            for bias, row in zip(self.bias, self.weights, strict=True)
        ]
        highest = max(logits)
        powers = [math.exp(logit - highest) for logit in logits]
        total = sum(powers)
        return {kind: power / total for kind, power in zip(self.kinds, powers, strict=True)}


def load_kind_classifier(file: Path) -> KindClassifier:
    """Return the classifier of a file.

    Raises:
        InvalidClassifier: The file is missing, cut short, or not a kind classifier's.
    """
    try:
        return KindClassifier.model_validate(json.loads(file.read_text(encoding="utf-8")))
    except ValidationError as exc:
        fault = exc.errors()[0]
        place = ".".join(str(part) for part in fault["loc"][:3])
        reason = f"{place}: {fault['msg']}" if place else fault["msg"]
        raise InvalidClassifier(f"{file} is damaged: {reason}") from exc
    except OSError as exc:
        raise InvalidClassifier(f"{file} cannot be read: {exc}") from exc
    except (ValueError, RecursionError) as exc:
        raise InvalidClassifier(f"{file} is damaged: not JSON: {exc}") from exc


@functools.cache
def shipped_kind_classifiers() -> tuple[KindClassifier, ...]:
    """Return those that ship, one for each embedded embedder."""
    return tuple(load_kind_classifier(file) for file in sorted(SHIPPED.glob("*.json")))


def kind_classifier_for(
    embedder: str, revision: str, others: Iterable[KindClassifier] = ()
) -> KindClassifier | None:
    """Return the first classifier that reads an embedder's vectors, or None.

    Args:
        embedder: Its name.
        revision: Its revision.
        others: Asked before those that ship.
    """
    known = (*others, *shipped_kind_classifiers())
    return next((each for each in known if each.reads(embedder, revision)), None)


def write_kind_classifier(classifier: KindClassifier) -> str:
    """Return the text of a classifier's file, one line a kind, so that two can be compared."""
    fields = classifier.model_dump(mode="json")
    rows = ",\n".join(json.dumps(row, separators=(",", ":")) for row in fields.pop("weights"))
    head = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in fields.items()]
    return "{\n" + ",\n".join(head) + f',\n"weights": [\n{rows}\n]\n' + "}\n"
