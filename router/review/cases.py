"""Policy tests: rows of facts with the decision that must follow, shipped beside a policy.

`policy.yaml` has its rows in `policy_cases.yaml`. This file reads and checks them, and reads facts
as people write them down. It does not know how a decision is made nor who prints a failure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, FiniteFloat
from pydantic import ValidationError as ShapeError

from router.decide import decide, settle
from router.decision import Abstention, Decision, Evidence, Outcome, Strategy
from router.errors import FactTypeMismatch, InvalidCases, RouterError, UnknownFact
from router.facts import FACTS, Facts, Provenance
from router.policy.loading import Policy
from router.text import Text

# YAML reads true and false as truth values; unquoted they are meant as verdicts all the same.
_Verdict = Annotated[
    Literal["true", "false", "unknown"],
    BeforeValidator(lambda v: str(v).lower() if isinstance(v, bool) else v),
]


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Arms(_Row):
    """What a study measured for each strategy: the choice must be its best, or within its error.

    Attributes:
        scores: Strategy to score, higher is better; a strategy it did not try is left out.
        error: How far below the best a choice may lie, as the study states; 0 where it states none.
        interval: Half the width of the 95 % interval, for all or for each strategy. Given, the
            scores are also measured facts; left out, the policy has to do without them.
    """

    scores: dict[Strategy, FiniteFloat] = Field(min_length=1)
    error: float = Field(default=0.0, ge=0)
    interval: float | dict[Strategy, float] | None = None

    def as_facts(self) -> dict[str, float]:
        """Return the scores with their intervals as measured facts."""
        if self.interval is None:
            return {}
        facts = {}
        for strategy, score in self.scores.items():
            width = self.interval
            half = width.get(strategy, 0.0) if isinstance(width, dict) else width
            facts[f"{strategy}_score"] = score
            facts[f"{strategy}_score_low"] = score - half
            facts[f"{strategy}_score_high"] = score + half
        return facts

    @property
    def good_enough(self) -> list[Strategy]:
        """The best strategy and those within the stated error of it."""
        lowest = max(self.scores.values()) - self.error
        return [strategy for strategy, score in self.scores.items() if score >= lowest - 1e-9]


class _Situation(_Row):
    id: str = Field(min_length=1)
    declared: dict[str, Any] = {}
    measured: dict[str, Any] = {}
    request: dict[str, Any] = {}


class Case(_Situation):
    """Facts, and what must be decided on them. What is left out is not checked, but a conflict is.

    Attributes:
        id: Its name.
        source: Where the expectation comes from, if it is not the policy's author.
        declared: Facts of the use case; `measured` and `request` likewise.
        asked: The strategy the caller named.
        thresholds: What the use case declares in place of the policy's own.
        strategy: What must be chosen.
        rule: The rule that must choose it.
        findings: Rule to the verdict it must come to.
        rejected: Strategy to exactly the rules that must reject it.
        conflict: The hard rule that must stand in the way; none where left out.
        pilot: Whether the answer must be marked as a pilot.
        declined_by: The rule that must put it outside the use case; none where left out.
        arms: What a study measured; the choice must be its best.
    """

    source: str = ""
    asked: Strategy | None = None
    thresholds: dict[str, Any] = {}
    strategy: Strategy
    rule: str | None = None
    findings: dict[str, _Verdict] = {}
    rejected: dict[Strategy, list[str]] = {}
    conflict: str | None = None
    pilot: bool | None = None
    declined_by: str | None = None
    arms: Arms | None = None

    def facts(self) -> Facts:
        """Return the row's facts, the study's scores among them."""
        study = {} if self.arms is None else self.arms.as_facts()
        return Facts.build(self.declared, {**study, **self.measured}, self.request)


class SettleCase(_Situation):
    """What retrieval brought for a strategy, and what must follow."""

    strategy: Strategy
    evidence: Evidence
    allow_prompt_only: bool = False
    outcome: Outcome
    rule: str | None = None
    reason: Abstention | None = None


class Cases(_Row):
    """The rows of one file; `presets` only holds what YAML anchors name."""

    presets: Any = None
    rows: tuple[Case, ...] = ()
    settlements: tuple[SettleCase, ...] = ()


@dataclass(frozen=True, slots=True)
class CaseFailure:
    """A row with another result than expected.

    Attributes:
        case: The row's name.
        expected: What it wants, only where it differs.
        got: What came out, under the same keys.
        why: The reasons of the rules that gave this result.
    """

    case: str
    expected: Mapping[str, object]
    got: Mapping[str, object]
    why: tuple[Text, ...]


def cases_file_of(policy_file: Path) -> Path:
    """Return where a policy's cases stand: `policy.yaml` has `policy_cases.yaml`."""
    return policy_file.with_name(f"{policy_file.stem}_cases.yaml")


def load_cases(file: Path) -> Cases:
    """Read and check a file of cases.

    Raises:
        InvalidCases: It cannot be read, or a row is wrong; the row and the key are named.
    """
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        cases = Cases.model_validate(content)
    except (OSError, ValueError, yaml.YAMLError) as exc:
        reason = _shape_reason(exc, content) if isinstance(exc, ShapeError) else str(exc)
        raise InvalidCases(f"{file}: {reason}") from exc
    names: set[str] = set()
    rows: tuple[_Situation, ...] = (*cases.rows, *cases.settlements)
    for row in rows:
        if row.id in names:
            raise InvalidCases(f"{file}: two rows are named {row.id!r}")
        names.add(row.id)
        try:
            Facts.build(row.declared, row.measured, row.request)
        except RouterError as exc:
            raise InvalidCases(f"{file}: {row.id}: {exc}") from exc
    return cases


def check_cases(cases: Cases, policy: Policy) -> list[CaseFailure]:
    """Return the rows that this policy decides otherwise, in the file's order."""
    failures = [_check_case(row, policy) for row in cases.rows]
    failures += [_check_settlement(row, policy) for row in cases.settlements]
    return [failure for failure in failures if failure is not None]


def find_unexpected(cases: Cases, policy: Policy) -> dict[str, list[str]]:
    """Return, for `true` and `false`, the rules that no row expects so."""
    choosing = (*policy.evidence, *policy.preference)
    forbidding = [each.rule for each in policy.hard]
    rules = [*forbidding, *(each.rule for each in policy.decline), *choosing]
    names = [rule.stated.id for rule in rules]
    return {
        verdict: [
            name for name in names if not any(r.findings.get(name) == verdict for r in cases.rows)
        ]
        for verdict in ("true", "false")
    }


def read_facts(content: object) -> Facts:
    """Return facts as people and records write them down.

    Args:
        content: A mapping with `declared`, `measured` and `request`; or name to value, each taken
            from the first source that may state it; or name to `{value, provenance}`, as decisions
            show their facts.

    Raises:
        UnknownFact: A name is not in `FACTS`.
        FactTypeMismatch: It is no such mapping, or a value does not fit its fact.
        FactProvenanceMismatch: A source states a fact that is not its to state.
    """
    if not isinstance(content, dict):
        raise FactTypeMismatch("facts are a mapping of names to values")
    stated: dict[str, dict[str, Any]] = {source.value: {} for source in Provenance}
    if content and set(content) <= set(stated):
        if not all(isinstance(part or {}, dict) for part in content.values()):
            raise FactTypeMismatch(f"each of {', '.join(content)} is a mapping of names to values")
        return Facts.build(**{source: content.get(source) or {} for source in stated})
    for name, value in content.items():
        if name not in FACTS:
            raise UnknownFact(f"there is no fact named {name!r}")
        source = next(s.value for s in Provenance if s in FACTS[name].provenances)
        if isinstance(value, dict):
            source, value = str(value.get("provenance", source)), value.get("value")
        stated.setdefault(source, {})[name] = value
    if len(stated) > len(Provenance):
        raise FactTypeMismatch(f"a provenance is one of {', '.join(Provenance)}")
    return Facts.build(**stated)


def _check_case(row: Case, policy: Policy) -> CaseFailure | None:
    try:
        decision = decide(row.facts(), policy.with_thresholds(row.thresholds), asked=row.asked)
    except RouterError as exc:
        said = Text(zh=str(exc), en=str(exc))
        return CaseFailure(row.id, {"strategy": row.strategy.value}, {"strategy": None}, (said,))
    verdicts = {finding.rule: finding.verdict for finding in decision.findings}
    rejected_by = {s: [r.rule for r in decision.rejected if r.strategy is s] for s in row.rejected}
    pairs: list[tuple[str, object, object]] = [
        ("strategy", row.strategy.value, decision.strategy.value),
        ("rule", row.rule or decision.rule, decision.rule),
        ("conflict", row.conflict, decision.conflict and decision.conflict.rule),
        ("declined_by", row.declined_by, decision.declined_by and decision.declined_by.rule),
        ("pilot", decision.pilot if row.pilot is None else row.pilot, decision.pilot),
    ]
    pairs += [(f"findings.{rule}", v, verdicts.get(rule)) for rule, v in row.findings.items()]
    pairs += [(f"rejected.{s}", rules, rejected_by[s]) for s, rules in row.rejected.items()]
    if row.arms is not None:
        best = [s.value for s in row.arms.good_enough]
        is_best = decision.strategy in row.arms.good_enough
        pairs.append(("arms", best, best if is_best else [decision.strategy.value]))
    return _compare(row.id, pairs, _reasons(decision, row))


def _check_settlement(row: SettleCase, policy: Policy) -> CaseFailure | None:
    facts = Facts.build(row.declared, row.measured, row.request)
    decision = decide(facts, policy, asked=row.strategy)
    settled = settle(decision, row.evidence, policy, allow_prompt_only=row.allow_prompt_only)
    found = settled.finding
    pairs = [
        ("outcome", row.outcome, settled.outcome),
        ("rule", row.rule or found.rule, found.rule),
        ("reason", row.reason or settled.reason, settled.reason),
    ]
    return _compare(row.id, pairs, (found.because,))


def _compare(
    name: str, pairs: Iterable[tuple[str, object, object]], why: tuple[Text, ...]
) -> CaseFailure | None:
    wrong = [(key, expected, got) for key, expected, got in pairs if expected != got]
    if not wrong:
        return None
    return CaseFailure(name, {k: e for k, e, _ in wrong}, {k: g for k, _, g in wrong}, why)


def _reasons(decision: Decision, row: Case) -> tuple[Text, ...]:
    """Return why the choice was made, and why the expected strategy was rejected."""
    chosen = [f.because for f in decision.findings if f.rule == decision.rule]
    rejected_by = [r.because for r in decision.rejected if r.strategy is row.strategy]
    return tuple(dict.fromkeys(chosen + rejected_by))


def _shape_reason(exc: ShapeError, content: object) -> str:
    """Return the first fault with the name of its row."""
    fault = exc.errors(include_url=False)[0]
    loc = fault["loc"]
    name = None
    if isinstance(content, dict) and len(loc) > 1 and isinstance(loc[1], int):
        row = content[loc[0]][loc[1]]
        name = row.get("id") if isinstance(row, dict) else None
    rest = ".".join(str(part) for part in (loc[2:] if name else loc))
    return f"{name}: {rest}: {fault['msg']}" if name else f"{rest}: {fault['msg']}"
