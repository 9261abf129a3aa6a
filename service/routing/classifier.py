"""The question classifier of a home, and labelled questions read from a file.

It knows the home and JSON Lines; `router` classifies the questions.
"""

import json
from pathlib import Path

from router import (
    Classifier,
    LabelledQuestion,
    QuestionClass,
    default_classifier,
    load_classifier,
)
from service.errors import InvalidEvaluationFile
from service.home import Home
from service.stores.json_value import JsonMapping


def classifier_in_force(home: Home) -> Classifier:
    """Return the classifier fitted for this home, or the default one.

    Raises:
        InvalidClassifier: The home's file is damaged. It is not replaced by the default: whoever
            fitted it would not notice.
    """
    file = home.classifier_file
    return load_classifier(file) if file.exists() else default_classifier()


def read_labelled(file: Path) -> list[LabelledQuestion]:
    """Return the labelled questions of a file, in its order.

    Raises:
        InvalidEvaluationFile: It is missing or empty, or a row is invalid; names the line.
    """
    rows = [
        _row(f"{file}, line {number}", line)
        for number, line in enumerate(read_lines(file), start=1)
        if line.strip()
    ]
    if not rows:
        raise InvalidEvaluationFile(f"{file} has no rows")
    return rows


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


def _row(place: str, line: str) -> LabelledQuestion:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as exc:
        raise InvalidEvaluationFile(f"{place}: not JSON: {exc}") from exc
    if not isinstance(row, dict):
        raise InvalidEvaluationFile(f"{place}: not a JSON object")
    label = _text(place, row, "label")
    if label not in list(QuestionClass):
        known = " | ".join(QuestionClass)
        raise InvalidEvaluationFile(f"{place}: label {label!r} is not one of {known}")
    return LabelledQuestion(
        query=_text(place, row, "query"),
        label=QuestionClass(label),
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
