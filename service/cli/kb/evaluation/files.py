"""The files of `fingerpost kb eval`: a corpus and labelled questions as JSON Lines.

It knows rows and what is wrong with one; it does not know what is measured.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from knowledge import Turn
from service.api.schemas.shapes import JsonObject
from service.errors import InvalidEvaluationFile


@dataclass(frozen=True, slots=True)
class CorpusRow:
    """One document."""

    row_id: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Question:
    """One question with its earlier turns; `gold_ids` is empty where the corpus has no answer."""

    question: str
    history: tuple[Turn, ...]
    gold_ids: frozenset[str]


def read_corpus(file: Path) -> list[CorpusRow]:
    """Return the documents of a file.

    Raises:
        InvalidEvaluationFile: It is missing or empty, or a row is malformed.
    """
    rows: dict[str, CorpusRow] = {}
    for place, row in read_rows(file):
        row_id = require_text(place, row, "id")
        if row_id in rows:
            raise InvalidEvaluationFile(f"{place}: the id {row_id!r} appears twice")
        title = row.get("title") or ""
        rows[row_id] = CorpusRow(row_id, str(title), require_text(place, row, "text"))
    return list(rows.values())


def read_questions(file: Path, known_ids: set[str] | None) -> list[Question]:
    """Return the questions of a file.

    Args:
        file: JSON Lines.
        known_ids: Ids of the corpus, among which every gold id must be; None: the questions
            belong to another corpus and their gold ids are ignored.

    Raises:
        InvalidEvaluationFile: It is missing or empty, or a row is malformed.
    """
    questions: list[Question] = []
    for place, row in read_rows(file):
        gold = frozenset() if known_ids is None else _gold(place, row, known_ids)
        questions.append(Question(require_text(place, row, "question"), _history(place, row), gold))
    return questions


def read_rows(file: Path) -> Iterator[tuple[str, JsonObject]]:
    """Yield (place, row) of every line that is not blank.

    Raises:
        InvalidEvaluationFile: The file is missing or empty, or a line is no JSON object.
    """
    try:
        lines = file.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as exc:
        raise InvalidEvaluationFile(f"{file} cannot be read: {exc}") from exc
    rows = [(number, line) for number, line in enumerate(lines, start=1) if line.strip()]
    if not rows:
        raise InvalidEvaluationFile(f"{file} contains no rows")
    for number, line in rows:
        place = f"{file}, line {number}"
        try:
            row = json.loads(line)
        except ValueError as exc:
            raise InvalidEvaluationFile(f"{place}: not JSON: {exc}") from exc
        if not isinstance(row, dict):
            raise InvalidEvaluationFile(f"{place}: must be a JSON object")
        yield place, row


def require_text(place: str, row: JsonObject, key: str) -> str:
    """Return the text under `key`.

    Raises:
        InvalidEvaluationFile: There is none.
    """
    value = row.get(key)
    if not isinstance(value, str) or not value.strip():
        raise InvalidEvaluationFile(f"{place}: `{key}` is missing or is not a non-empty string")
    return value


def _gold(place: str, row: JsonObject, known_ids: set[str]) -> frozenset[str]:
    value = row.get("gold_ids")
    gold = [name for name in value if isinstance(name, str)] if isinstance(value, list) else []
    if not isinstance(value, list) or not gold or len(gold) < len(value):
        raise InvalidEvaluationFile(f"{place}: `gold_ids` must list at least one id of the corpus")
    unknown = sorted(set(gold) - known_ids)
    if unknown:
        raise InvalidEvaluationFile(f"{place}: the corpus has no row {unknown[0]!r}")
    return frozenset(gold)


def _history(place: str, row: JsonObject) -> tuple[Turn, ...]:
    turns = row.get("history") or []
    known = [turn for turn in turns if isinstance(turn, dict)] if isinstance(turns, list) else []
    if not isinstance(turns, list) or len(known) < len(turns):
        raise InvalidEvaluationFile(f"{place}: a turn of `history` needs role and content")
    try:
        return tuple(Turn(str(turn["role"]), str(turn["content"])) for turn in known)
    except KeyError as exc:
        raise InvalidEvaluationFile(f"{place}: a turn of `history` needs role and content") from exc
