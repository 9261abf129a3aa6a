"""The classifiers of a home, and labelled questions read from a file.

It knows the home and JSON Lines; `router` classifies the questions.
"""

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from knowledge import Embedder
from router import (
    Classifier,
    KindClassifier,
    LabelledMessage,
    LabelledQuestion,
    MessageKind,
    QuestionClass,
    default_classifier,
    kind_classifier_for,
    load_classifier,
    load_kind_classifier,
)
from service.errors import InvalidEvaluationFile
from service.home import Home
from service.stores.json_value import JsonMapping

T = TypeVar("T")


def classifier_in_force(home: Home) -> Classifier:
    """Return the classifier fitted for this home, or the default one.

    Raises:
        InvalidClassifier: The home's file is damaged. It is not replaced by the default: whoever
            fitted it would not notice.
    """
    file = home.classifier_file
    return load_classifier(file) if file.exists() else default_classifier()


def kind_classifier_in_force(home: Home, embedder: Embedder) -> KindClassifier | None:
    """Return what reads this embedder's vectors: fitted for this home, or shipped; or None.

    Raises:
        InvalidClassifier: The home's file is damaged.
    """
    file = home.kind_classifier_file
    fitted = [load_kind_classifier(file)] if file.exists() else []
    return kind_classifier_for(embedder.model_id, embedder.revision, fitted)


def write_classifier(target: Path, text: str) -> None:
    """Write a whole file or none: a gateway may start meanwhile."""
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(target.name + ".new")
    draft.write_text(text, encoding="utf-8")
    os.replace(draft, target)


def read_labelled(file: Path) -> list[LabelledQuestion]:
    """Return the labelled questions of a file, in its order.

    Raises:
        InvalidEvaluationFile: It is missing or empty, or a row is invalid; names the line.
    """
    return _read_rows(file, _row)


def read_messages(file: Path) -> list[LabelledMessage]:
    """Return the messages of a file with their kinds, in its order.

    Raises:
        InvalidEvaluationFile: It is missing or empty, or a row is invalid; names the line.
    """
    return _read_rows(file, _message)


def read_lines(file: Path) -> list[str]:
    """Return the lines of a UTF-8 file, empty ones too, without a last empty one.

    Raises:
        InvalidEvaluationFile: It cannot be read.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as exc:
        raise InvalidEvaluationFile(f"{file} cannot be read: {exc}") from exc
    return text.removesuffix("\n").split("\n")


def _read_rows(file: Path, read: Callable[[str, str], T]) -> list[T]:
    """Return what `read` makes of each line and its place, empty lines aside."""
    rows = [
        read(f"{file}, line {number}", line)
        for number, line in enumerate(read_lines(file), start=1)
        if line.strip()
    ]
    if not rows:
        raise InvalidEvaluationFile(f"{file} has no rows")
    return rows


def _message(place: str, line: str) -> LabelledMessage:
    row = _object(place, line)
    return LabelledMessage(
        message=_text(place, row, "message"),
        kind=MessageKind(_one_of(place, row, "kind", list(MessageKind))),
        language=_text(place, row, "lang"),
    )


def _object(place: str, line: str) -> JsonMapping:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as exc:
        raise InvalidEvaluationFile(f"{place}: not JSON: {exc}") from exc
    if not isinstance(row, dict):
        raise InvalidEvaluationFile(f"{place}: not a JSON object")
    return row


def _one_of(place: str, row: JsonMapping, key: str, known: Sequence[str]) -> str:
    value = _text(place, row, key)
    if value not in known:
        raise InvalidEvaluationFile(f"{place}: {key} {value!r} is not one of {' | '.join(known)}")
    return value


def _row(place: str, line: str) -> LabelledQuestion:
    row = _object(place, line)
    return LabelledQuestion(
        query=_text(place, row, "query"),
        label=QuestionClass(_one_of(place, row, "label", list(QuestionClass))),
        language=_text(place, row, "lang"),
        history=_history(place, row),
        source=str(row.get("source") or ""),
    )


def _text(place: str, row: JsonMapping, key: str) -> str:
    value = row.get(key)
    if not isinstance(value, str) or not value.strip():
        raise InvalidEvaluationFile(f"{place}: `{key}` is missing or not a string")
    return value


def _history(place: str, row: JsonMapping) -> tuple[str, ...]:
    history = row.get("history") or []
    turns = history if isinstance(history, list) else [history]
    contents = [turn["content"] for turn in turns if isinstance(turn, dict) and "content" in turn]
    if len(contents) < len(turns):
        raise InvalidEvaluationFile(f"{place}: a turn of `history` has no `content`")
    return tuple(str(content) for content in contents)
