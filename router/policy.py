"""Load a policy: check everything that can be checked, and compile it once for deciding fast.

It does not decide; `decide.py` does. A policy that loads cannot fail later.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import Final

from router.conditions import Condition, Judged, compile_condition
from router.decision import Because, Finding, LeafFinding, Outcome, Rule, RuleKind, Strategy, Truth
from router.errors import InvalidPolicy
from router.facts import FACTS, FactSpec, FactType, FactValue, Provenance
from router.leaves import Leaf, LeafCompiler, LeafFault
from router.policy_file import (
    BecauseText,
    ConditionalText,
    PolicyDocument,
    PolicyText,
    Where,
    read_document,
    read_policy_text,
)

DEFAULT_POLICY_FILE: Final = Path(__file__).with_name("default_policy.yaml")

_MEASURED = frozenset({Provenance.MEASURED})
_NUMBER = FactType.NUMBER
# What `settle` rules may name besides every fact of the decision.
EVIDENCE_FACTS: Final[Mapping[str, FactSpec]] = {
    spec.name: spec
    for spec in (
        FactSpec("passages", _NUMBER, _MEASURED, "Above the floor.", "passages", minimum=0),
        FactSpec("best_score", _NUMBER, _MEASURED, "Relevance of the best passage, 0 to 1."),
        FactSpec("degraded", FactType.TRUTH, _MEASURED, "A retriever that should answer did not."),
    )
}


@dataclass(frozen=True, slots=True)
class Threshold:
    """A value that rules name.

    Attributes:
        value: The value.
        source: Where it comes from.
        unit: Its unit, empty where there is none.
    """

    value: FactValue
    source: str
    unit: str


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A rule with its condition, ready to be judged.

    Attributes:
        stated: The rule as a finding shows it.
        when: The condition.
        unless: What makes the rule false; None where nothing does.
        pick: Takes the leaves of `when`, then those of `unless`, from the policy's judged leaves.
    """

    stated: Rule
    when: Condition
    unless: Condition | None
    pick: Callable[[Judged], tuple[LeafFinding, ...]]

    def judge(self, judged: Judged) -> Finding:
        """Return the rule's finding over the policy's judged leaves."""
        truth: Truth = self.when.judge(judged)
        if truth is not False and self.unless is not None and self.unless.judge(judged) is True:
            truth = False
        return Finding(self.stated, truth, self.pick(judged))


@dataclass(frozen=True, slots=True)
class HardRule:
    """An eligibility rule.

    Attributes:
        rule: The rule.
        forbids_unknown: It also forbids when it cannot be judged.
        binds_asked: It also forbids what a caller asks for by name.
    """

    rule: CompiledRule
    forbids_unknown: bool
    binds_asked: bool


@dataclass(frozen=True, slots=True)
class SettleRule:
    """A rule after retrieval.

    Attributes:
        rule: The rule.
        outcome: What follows when it holds.
        or_prompt_only: Whether an answer without passages may stand in, where the caller allows.
    """

    rule: CompiledRule
    outcome: Outcome
    or_prompt_only: bool


@dataclass(frozen=True, slots=True)
class Settling:
    """The part of a policy that is read after retrieval.

    Attributes:
        leaves: Its leaves.
        rules: Its rules, the first that holds settles.
        otherwise: What is found when none holds: answer.
        without_retrieval: What is found for a strategy that does not retrieve: answer.
    """

    leaves: tuple[Leaf, ...]
    rules: tuple[SettleRule, ...]
    otherwise: Finding
    without_retrieval: Finding


@dataclass(frozen=True, slots=True)
class Policy:
    """A compiled policy. Make it with `load_policy` or `default_policy`.

    Attributes:
        name: Its name.
        version: Name and the first 8 digits of the file's sha256, e.g. `default@1a2b3c4d`.
        file: Where it was read.
        thresholds: The values its rules name.
        leaves: Every different leaf of its rules, each judged once a decision.
        hard: Who may not answer.
        evidence: What the last compare says.
        preference: Who should answer, the first that can be followed wins.
        pilot: When an adapter is marked as a pilot.
        fallback: All four strategies, in the order to try when no rule chooses.
        settling: What follows retrieval.
    """

    name: str
    version: str
    file: str
    thresholds: Mapping[str, Threshold]
    leaves: tuple[Leaf, ...]
    hard: tuple[HardRule, ...]
    evidence: tuple[CompiledRule, ...]
    preference: tuple[CompiledRule, ...]
    pilot: CompiledRule | None
    fallback: Rule
    settling: Settling


def load_policy(path: Path | str) -> Policy:
    """Read, check and compile a policy file.

    Args:
        path: A UTF-8 YAML file; `router/default_policy.yaml` shows every section.

    Returns:
        The policy.

    Raises:
        InvalidPolicy: It cannot be read or used; file, line, key and reason are named.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, ValueError) as exc:
        raise InvalidPolicy(file=str(path), key="", reason=f"cannot be read: {exc}") from exc
    return parse_policy(text, file=str(path))


@functools.cache
def default_policy() -> Policy:
    """Return the policy that ships: the five-step flow, corrected by evidence."""
    return load_policy(DEFAULT_POLICY_FILE)


def parse_policy(text: str, *, file: str) -> Policy:
    """Check and compile a policy from its text.

    Args:
        text: The YAML text.
        file: What to call it in errors.

    Returns:
        The policy.

    Raises:
        InvalidPolicy: It cannot be used; file, line, key and reason are named.
    """
    document = read_document(text, file=file)
    written = read_policy_text(document)
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return _compile(written, document, version=f"{written.name}@{digest}")


def _compile(written: PolicyText, document: PolicyDocument, *, version: str) -> Policy:
    thresholds = _read_thresholds(written, document)
    values = {name: threshold.value for name, threshold in thresholds.items()}
    compiler = _RuleCompiler(document, LeafCompiler(FACTS, values))
    hard = tuple(
        HardRule(
            compiler.compile(rule, ("hard", i), RuleKind.HARD, rule.forbid),
            forbids_unknown=rule.unknown == "forbid",
            binds_asked=rule.asked == "forbid",
        )
        for i, rule in enumerate(written.hard)
    )
    evidence = tuple(
        compiler.compile(rule, ("evidence", i), RuleKind.EVIDENCE, rule.prefer)
        for i, rule in enumerate(written.evidence)
    )
    preference = tuple(
        compiler.compile(rule, ("preference", i), RuleKind.PREFERENCE, rule.prefer)
        for i, rule in enumerate(written.preference)
    )
    pilot = None
    if written.pilot is not None:
        marked = [strategy for strategy in Strategy if strategy.uses_adapter]
        pilot = compiler.compile(written.pilot, ("pilot",), RuleKind.PILOT, marked)
    return Policy(
        name=written.name,
        version=version,
        file=document.file,
        thresholds=thresholds,
        leaves=tuple(compiler.leaves),
        hard=hard,
        evidence=evidence,
        preference=preference,
        pilot=pilot,
        fallback=_read_fallback(written, document),
        settling=_compile_settling(written, document, values),
    )


class _RuleCompiler:
    """Compiles the rules of one policy, each different leaf once."""

    def __init__(self, document: PolicyDocument, leaf_compiler: LeafCompiler) -> None:
        self.leaves: list[Leaf] = []
        self._document = document
        self._leaf_compiler = leaf_compiler
        self._numbers: dict[str, int] = {}
        self._ids = {"fallback", "asked", "otherwise", "without_retrieval"}

    def compile(
        self, text: ConditionalText, where: Where, kind: RuleKind, strategies: Sequence[Strategy]
    ) -> CompiledRule:
        """Return the compiled rule.

        Raises:
            InvalidPolicy: Its id is taken, it names a strategy twice, or its condition is wrong.
        """
        if text.id in self._ids:
            raise self._document.fault((*where, "id"), f"{text.id!r} is already taken")
        self._ids.add(text.id)
        if len(set(strategies)) != len(strategies):
            raise self._document.fault(where, "names a strategy twice")
        when = self._condition(text.when, (*where, "when"))
        unless = None if text.unless is None else self._condition(text.unless, (*where, "unless"))
        stated = Rule(
            text.id,
            kind,
            tuple(strategies),
            _because(text.because),
            len(when.leaves),
            when.tree,
            None if unless is None else unless.tree,
        )
        return CompiledRule(stated, when, unless, _picker(when, unless))

    def _condition(self, tree: object, where: Where) -> Condition:
        return compile_condition(tree, where, self._document, self._leaf_number)

    def _leaf_number(self, expression: str, where: Where) -> int:
        if expression not in self._numbers:
            try:
                self.leaves.append(self._leaf_compiler.compile(expression))
            except LeafFault as exc:
                raise self._document.fault(where, f"{expression!r}: {exc}") from exc
            self._numbers[expression] = len(self.leaves) - 1
        return self._numbers[expression]


def _picker(
    when: Condition, unless: Condition | None
) -> Callable[[Judged], tuple[LeafFinding, ...]]:
    numbers = when.leaves + (() if unless is None else unless.leaves)
    if len(numbers) == 1:  # itemgetter of one index gives the item, not a tuple of it
        return lambda judged: (judged[numbers[0]],)
    return itemgetter(*numbers)


def _read_thresholds(written: PolicyText, document: PolicyDocument) -> dict[str, Threshold]:
    thresholds = {}
    for name, text in written.thresholds.items():
        if name in FACTS or name in EVIDENCE_FACTS:
            raise document.fault(("thresholds", name), "is the name of a fact")
        thresholds[name] = Threshold(text.value, text.source, text.unit)
    return thresholds


def _read_fallback(written: PolicyText, document: PolicyDocument) -> Rule:
    order = tuple(written.fallback.prefer)
    if sorted(order) != sorted(Strategy):
        names = ", ".join(Strategy)
        raise document.fault(("fallback", "prefer"), f"must order each of {names} once")
    return Rule("fallback", RuleKind.FALLBACK, order, _because(written.fallback.because))


def _compile_settling(
    written: PolicyText, document: PolicyDocument, values: Mapping[str, FactValue]
) -> Settling:
    compiler = _RuleCompiler(document, LeafCompiler({**FACTS, **EVIDENCE_FACTS}, values))
    rules = tuple(
        SettleRule(
            compiler.compile(rule, ("settle", "rules", i), RuleKind.SETTLE, ()),
            outcome=rule.outcome,
            or_prompt_only=rule.or_prompt_only,
        )
        for i, rule in enumerate(written.settle.rules)
    )
    return Settling(
        leaves=tuple(compiler.leaves),
        rules=rules,
        otherwise=_settled("otherwise", written.settle.otherwise),
        without_retrieval=_settled("without_retrieval", written.settle.without_retrieval),
    )


def _settled(rule_id: str, because: BecauseText) -> Finding:
    return Finding(Rule(rule_id, RuleKind.SETTLE, (), _because(because)), truth=True)


def _because(text: BecauseText) -> Because:
    return Because(zh=text.zh, en=text.en)
