"""The outcomes of a comparison read from a file: each question with the score of each strategy.

It knows the rows that `fingerpost compare --out` writes and names the line that is wrong; it does
not know what is computed from them.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints, ValidationError

from router import FACTS, Facts, Provenance, RouterError, Strategy, Trial
from service.compare.questions import COMPARED, StrategyName
from service.errors import InvalidOutcomes
from service.messages.faults import row_faults

MOST_FAULTS = 20
_PROVENANCES = Provenance.__members__.values()

LocatedRow = tuple[str, object]  # its location, e.g. "outcomes.jsonl line 3", and the row


class OutcomeRow(BaseModel):
    """The keys that are read of one row; others are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: Annotated[str, StringConstraints(min_length=1)]
    strategy: StrategyName
    score: float | None = Field(ge=0, le=1, allow_inf_nan=False, strict=True)
    facts: Mapping[str, JsonValue] = {}
    decision: Mapping[str, JsonValue] = {}
    question: str | None = None


@dataclass(frozen=True, slots=True)
class Outcomes:
    """The outcomes of one set.

    Attributes:
        trials: One for each question that at least one strategy answered.
        questions: Text of each trial's question, in their order; None where no row has it.
        unscored: Ids of the questions that no strategy answered; they are not among the trials.
        without_facts: How many trials have no fact.
    """

    trials: tuple[Trial, ...]
    questions: tuple[str | None, ...]
    unscored: tuple[str, ...]
    without_facts: int


def read_lines(text: str, *, file: str) -> Iterator[LocatedRow]:
    """Yield the rows of a JSON-lines text with their locations.

    Raises:
        InvalidOutcomes: Names the line that is not JSON.
    """
    # Not splitlines: a string may contain U+2028. A byte order mark before the first row is none.
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        if line.strip():
            place = f"{file} line {number}"
            try:
                yield place, json.loads(line)
            except ValueError as exc:
                raise InvalidOutcomes(f"{place} is not JSON: {exc}") from exc


def parse_outcomes(rows: Iterable[LocatedRow]) -> Outcomes:
    """Return the outcomes of `rows`, one row per question and strategy in any order.

    Raises:
        InvalidOutcomes: Names each row that is wrong, occurs twice, or is of the only strategy.
    """
    faults: list[str] = []
    by_question: dict[str, dict[StrategyName, tuple[str, OutcomeRow]]] = {}
    for place, content in rows:
        try:
            row = OutcomeRow.model_validate(content)
        except ValidationError as exc:
            faults.append(f"{place}: {row_faults(exc.errors(), content)}")
            continue
        known = by_question.setdefault(row.id, {})
        if row.strategy in known:
            first = known[row.strategy][0]
            faults.append(f"{place}: {row.id!r} by {row.strategy} is in {first} already")
        else:
            known[row.strategy] = place, row
    if not by_question and not faults:
        faults = ["there are no rows"]
    for question, placed in by_question.items():
        if len(placed.keys() - {"auto"}) < 2:
            place = next(iter(placed.values()))[0]
            faults.append(
                f"{place}: question {question!r} was asked by one strategy only; a choice needs two"
            )
    found = [] if faults else [_trial(placed, faults) for placed in by_question.values()]
    if faults:
        more = len(faults) - MOST_FAULTS
        listed = " | ".join(faults[:MOST_FAULTS]) + (f" | and {more} more" if more > 0 else "")
        raise InvalidOutcomes(f"The outcomes cannot be used: {listed}")
    return _outcomes(found)


def _outcomes(found: Sequence[tuple[Trial, str | None]]) -> Outcomes:
    scored = [pair for pair in found if any(s is not None for s in pair[0].scores.values())]
    if not scored:
        raise InvalidOutcomes("The outcomes cannot be used: no row has a score.")
    scored_ids = {trial.id for trial, _ in scored}
    return Outcomes(
        trials=tuple(trial for trial, _ in scored),
        questions=tuple(question for _, question in scored),
        unscored=tuple(trial.id for trial, _ in found if trial.id not in scored_ids),
        without_facts=sum(not trial.facts for trial, _ in scored),
    )


def _trial(
    placed: Mapping[StrategyName, tuple[str, OutcomeRow]], faults: list[str]
) -> tuple[Trial, str | None]:
    """Return the trial of one question and its text; faults of its facts are appended to `faults`.

    The facts are those of the `auto` row where it has some: what the router used.
    """
    rows = [placed[name] for name in ("auto", *COMPARED[:-1]) if name in placed]
    place, row = next((pair for pair in rows if pair[1].facts), rows[0])
    try:
        facts = _facts(row.facts)
    except RouterError as exc:
        faults.append(f"{place}: facts: {exc}")
        facts = Facts.build()
    by_name = {r.strategy: r.score for _, r in rows}
    live = by_name.pop("auto", None)
    scores = {Strategy(name): score for name, score in by_name.items()}
    question = next((r.question for _, r in rows if r.question), None)
    return Trial(row.id, facts, scores, live, _thresholds(row.decision)), question


def _thresholds(decision: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Return the thresholds of the use case, as its decision lists them."""
    thresholds = decision.get("thresholds")
    if not isinstance(thresholds, Mapping):
        return {}
    return {
        name: t["value"]
        for name, t in thresholds.items()
        if isinstance(t, Mapping) and "value" in t
    }


def _facts(stated: Mapping[str, JsonValue]) -> Facts:
    """Return facts as a decision writes them, `{value, provenance}`, or as plain values."""
    by: dict[Provenance, dict[str, JsonValue]] = {provenance: {} for provenance in _PROVENANCES}
    for name, content in stated.items():
        whole = content if isinstance(content, Mapping) else {"value": content}
        source = whole.get("provenance")
        if source not in by:
            spec = FACTS.get(name)
            source = (
                Provenance.DECLARED if spec is None else max(spec.provenances, key=list(by).index)
            )
        by[Provenance(source)][name] = whole.get("value")
    return Facts.build(*by.values())
