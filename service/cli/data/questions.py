"""The questions of `fingerpost data context`, in the file format of `kb eval` with `answers`.

It knows rows and what is wrong with one; it does not know where passages come from.
"""

from collections.abc import Sequence
from pathlib import Path

from adapters import ContextQuestion
from service.api.schemas.shapes import JsonObject
from service.cli.kb.evaluation.files import read_rows, require_text
from service.errors import InvalidEvaluationFile


def read_context_questions(file: Path) -> list[ContextQuestion]:
    """Return the questions of a file as `kb eval` takes them, with `answers`.

    Raises:
        InvalidEvaluationFile: It is missing or empty, or a row is not as it must be.
    """
    return [_question(place, row) for place, row in read_rows(file)]


def _question(place: str, row: JsonObject) -> ContextQuestion:
    question = require_text(place, row, "question")
    answers = _texts(place, row, "answers")
    if not answers:
        raise InvalidEvaluationFile(
            f"{place}: `answers` is missing; it must list the answers as the passage words them"
        )
    golds = _texts(place, row, "gold_ids")
    source = row.get("source") or "+".join(sorted(golds)) or question
    return ContextQuestion(
        question,
        answers,
        str(source),
        frozenset(golds),
        frozenset(_texts(place, row, "also_ids")),
    )


def as_row(question: ContextQuestion) -> JsonObject:
    """Return a question in the format of the file."""
    return {
        "question": question.question,
        "answers": list(question.answers),
        "source": question.source,
        "gold_ids": [*sorted(question.gold_ids)],
        "also_ids": [*sorted(question.other_ids)],
    }


def _texts(place: str, row: JsonObject, key: str) -> tuple[str, ...]:
    value = row.get(key) or []
    texts = (
        [v for v in value if isinstance(v, str) and v.strip()] if isinstance(value, list) else []
    )
    if not isinstance(value, list) or len(texts) < len(value):
        raise InvalidEvaluationFile(f"{place}: `{key}` must be a list of non-empty strings")
    return tuple(texts)


def require_known(questions: Sequence[ContextQuestion], known: set[str], where: str) -> None:
    """Refuse questions whose gold documents do not exist.

    Raises:
        InvalidEvaluationFile: One names an id that is not `known`.
    """
    for question in questions:
        if unknown := sorted(question.gold_ids - known):
            raise InvalidEvaluationFile(
                f"{where} has no document {unknown[0]!r}, which the question "
                f"{question.question!r} names as gold"
            )
