"""The fitted question classifier: plain numbers in a file, read once; plain Python to use it.

Says whether a question needs knowledge, is chit-chat, a task, or out of scope, how sure that is,
and whether it is sure enough to act on. It does not know what follows from it (the policy says
that) nor how the numbers were fitted (`fitting.py`).
"""

from __future__ import annotations

import functools
import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from operator import mul
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from router.classes import QuestionClass
from router.errors import InvalidClassifier
from router.questions.features import Features, features_of

DEFAULT_CLASSIFIER_FILE: Final = Path(__file__).with_name("default_classifier.json")
FORMAT: Final = "fingerpost question classifier 1"
UNIT: Final = 1000  # numbers in the file are whole thousandths


@dataclass(frozen=True, slots=True)
class Guess:
    """What the classifier says of one question.

    Attributes:
        label: The likeliest class.
        confidence: How likely, 0 to 1, calibrated on rows it was not fitted on.
        is_certain: Confident enough to act on; otherwise the class counts as unknown.
    """

    label: QuestionClass
    confidence: float
    is_certain: bool


class ClassifierDocument(BaseModel):
    """A classifier's file.

    One feature is a name and `[idf, a weight for each label]`. One row it was fitted on is its
    mark (`row_mark`) and what the fold without it guessed, `[place of the label, confidence in
    thousandths]`; null for a row that no fold left out.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)

    format: str
    made_by: str
    notice: tuple[str, ...]
    figures: dict[str, Any]
    labels: tuple[QuestionClass, ...]
    certain_from: dict[QuestionClass, float]
    bias: tuple[int, ...]
    rows: dict[str, tuple[int, int] | None]
    features: dict[str, tuple[int, ...]]

    @model_validator(mode="after")
    def _check(self) -> ClassifierDocument:
        if self.format != FORMAT:
            raise ValueError(f"`format` is {self.format!r}, this version reads {FORMAT!r}")
        size = len(self.labels)
        if size < 2 or len(set(self.labels)) != size or len(self.bias) != size:
            raise ValueError("`labels` and `bias` must name the same two or more classes")
        if set(self.certain_from) != set(self.labels):
            raise ValueError("`certain_from` must hold every label")
        for mark, guessed in self.rows.items():
            if guessed is not None and not 0 <= guessed[0] < size:
                raise ValueError(f"row {mark!r} names label {guessed[0]} of {size}")
        for name, numbers in self.features.items():
            if len(numbers) != size + 1:
                raise ValueError(f"feature {name!r} needs {size + 1} numbers, not {len(numbers)}")
        return self


@dataclass(frozen=True, slots=True)
class Classifier:
    """A fitted classifier in memory. Make it with `load_classifier` or `default_classifier`.

    Attributes:
        document: What stands in its file, but for the features.
        idf: Feature name to its inverse document frequency, in thousandths.
        weights: Feature name to one weight for each label, in thousandths.
        seen: The rows it was fitted on, as in its document.
        version: First 12 hex digits of the file's SHA-256.
        leaves_out: To measure quality: a question it was fitted on is guessed by the fold
            without it.
    """

    document: ClassifierDocument
    idf: Mapping[str, int]
    weights: Mapping[str, tuple[int, ...]]
    seen: Mapping[str, tuple[int, int] | None]
    version: str
    leaves_out: bool = False

    def guess(self, question: str) -> Guess:
        """Return what the question is. Never raises."""
        left_out = self.seen.get(row_mark(question)) if self.leaves_out else None
        if left_out is not None:
            best, confidence = left_out[0], left_out[1] / UNIT
        else:
            probabilities = self.probabilities(question)
            best = max(range(len(probabilities)), key=probabilities.__getitem__)
            confidence = probabilities[best]
        label = self.document.labels[best]
        return Guess(label, confidence, confidence >= self.document.certain_from[label])

    def probabilities(self, question: str) -> list[float]:
        """Return the probability of each of `document.labels`."""
        strengths = strengths_of(features_of(question), self.idf)
        columns = zip(*(self.weights[name] for name in strengths), strict=True)
        logits = [float(bias) for bias in self.document.bias]
        for at, weights in enumerate(columns):  # of one label each
            logits[at] = sum(map(mul, strengths.values(), weights), logits[at])
        highest = max(logits)
        powers = [math.exp((total - highest) / UNIT) for total in logits]
        whole = sum(powers)
        return [power / whole for power in powers]

    def has_seen(self, question: str) -> bool:
        """Return whether a row with this question was among those it was fitted on."""
        return row_mark(question) in self.seen


def strengths_of(features: Features, idf: Mapping[str, float]) -> dict[str, float]:
    """Return how strong each known feature is; grams and phrases are vectors of length 1.

    Args:
        features: Of one question.
        idf: Known feature to its inverse document frequency, in any unit; others are left out.
    """
    strengths = {name: value for name, value in features.marks.items() if name in idf}
    for counted in (features.grams, features.phrases):
        known = {
            name: (1 + math.log(count)) * idf[name] if count > 1 else float(idf[name])
            for name, count in counted.items()
            if name in idf
        }
        length = math.sqrt(sum(value * value for value in known.values()))
        strengths.update((name, value / length) for name, value in known.items())
    return strengths


def row_mark(question: str) -> str:
    """Return eight hex digits by which a question is recognised, not read."""
    text = " ".join(question.lower().split())
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def load_classifier(file: Path) -> Classifier:
    """Return the classifier of a file.

    Raises:
        InvalidClassifier: The file is missing, cut short, or not a classifier's.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise InvalidClassifier(f"{file} cannot be read: {exc}") from exc
    return parse_classifier(text, file=str(file))


@functools.cache
def default_classifier() -> Classifier:
    """Return the classifier that ships with the room."""
    return load_classifier(DEFAULT_CLASSIFIER_FILE)


def parse_classifier(text: str, *, file: str) -> Classifier:
    """Return the classifier that stands in `text`; `file` names it in errors.

    Raises:
        InvalidClassifier: It is not JSON, or a part is missing or does not fit the others.
    """
    try:
        document = ClassifierDocument.model_validate(json.loads(text))
    except ValidationError as exc:
        fault = exc.errors()[0]
        place = ".".join(str(part) for part in fault["loc"][:3])
        reason = f"{place}: {fault['msg']}" if place else fault["msg"]
        raise InvalidClassifier(f"{file} is damaged: {reason}") from exc
    except (ValueError, RecursionError) as exc:
        raise InvalidClassifier(f"{file} is damaged: not JSON: {exc}") from exc
    return Classifier(
        document=document.model_copy(update={"features": {}, "rows": {}}),
        idf={name: numbers[0] for name, numbers in document.features.items()},
        weights={name: numbers[1:] for name, numbers in document.features.items()},
        seen=document.rows,
        version=hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12],
    )


def write_document(document: ClassifierDocument) -> str:
    """Return the text of a classifier's file, one line a feature, so that two can be compared."""
    head: dict[str, Any] = document.model_dump(mode="json", exclude={"features", "rows"})
    lines = [f"{_json(name)}: {_json(value)}" for name, value in head.items()]
    lines.append(f'"rows": {_block(document.rows)}')
    features = [f"{_json(name)}: {_json(n)}" for name, n in sorted(document.features.items())]
    lines.append('"features": {\n' + ",\n".join(features) + "\n}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _block(rows: Mapping[str, tuple[int, int] | None]) -> str:
    cells = [f"{_json(mark)}: {_json(guessed)}" for mark, guessed in sorted(rows.items())]
    lines = [", ".join(cells[at : at + 5]) for at in range(0, len(cells), 5)]
    return "{\n" + ",\n".join(lines) + "\n}"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
