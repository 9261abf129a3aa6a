"""Load a policy: check everything that can be checked, and compile it once for deciding fast.

It does not decide; `decide.py` does. A policy that loads cannot fail later.
"""

from __future__ import annotations

import difflib
import functools
import hashlib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Final

from router.decision import Finding, LeafFinding, Rule, RuleKind, Strategy
from router.decision import Threshold as Threshold
from router.errors import InvalidPolicy, ThresholdRefused
from router.facts import FACTS, FactSpec, FactType, FactValue, Provenance
from router.policy.checks import LOAD_WORK, find_faults
from router.policy.conditions import Condition, LeafFindings, compile_condition
from router.policy.document import (
    ConditionalSchema,
    PolicyDocument,
    PolicySchema,
    ReasonSchema,
    Where,
    read_document,
    spell,
    validate_policy,
)
from router.policy.leaves import Leaf, LeafFault
from router.policy.rules import (
    CompiledRule,
    DeclineRule,
    HardRule,
    PolicyWarning,
    SettleRule,
    Settling,
)
from router.text import Text

if TYPE_CHECKING:
    from router.policy.expressions import LeafCompiler

DEFAULT_POLICY_FILE: Final = Path(__file__).with_name("default_policy.yaml")

_MEASURED = frozenset({Provenance.MEASURED})
_NUMBER = FactType.NUMBER
# What `settle` rules may name besides every fact of the decision.
EVIDENCE_FACTS: Final[Mapping[str, FactSpec]] = {
    spec.name: spec
    for spec in (
        FactSpec("passages", _NUMBER, _MEASURED, "Relevant ones found.", "passages", minimum=0),
        FactSpec("best_score", _NUMBER, _MEASURED, "Relevance of the best passage, 0 to 1."),
        FactSpec("degraded", FactType.TRUTH, _MEASURED, "A retriever that should answer did not."),
    )
}
_SETTLE_FACTS: Final[Mapping[str, FactSpec]] = {**FACTS, **EVIDENCE_FACTS}


@dataclass(frozen=True, slots=True, eq=False)
class Policy:
    """A compiled policy. Make it with `load_policy` or `default_policy`.

    Attributes:
        name: Its name.
        version: Name and the first 8 digits of the file's sha256, e.g. `default@1a2b3c4d`.
        file: Where it was read.
        thresholds: The values its rules name.
        leaves: Every different leaf of its rules, each evaluated once a decision.
        hard: Which strategies are forbidden, and when.
        decline: Which requests are refused before anything is searched.
        evidence: Rules on the scores of the last compare.
        preference: Which strategy to prefer; the first rule that can be followed chooses.
        pilot: When an adapter is marked as a pilot.
        fallback: All four strategies, in the order to try when no rule chooses.
        settling: What follows retrieval.
        warnings: What its rules can never do.
        overrides: Those thresholds that a use case declares.
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
    warnings: tuple[PolicyWarning, ...] = ()
    decline: tuple[DeclineRule, ...] = ()
    overrides: Mapping[str, Threshold] = field(default_factory=dict)

    def with_thresholds(self, declared: Mapping[str, object]) -> Policy:
        """Return this policy with a use case's own thresholds; compiled once for each set.

        Args:
            declared: Name to value. Thresholds that a hard rule names cannot be set by a use case.

        Returns:
            The policy itself where nothing is declared.

        Raises:
            ThresholdRefused: A name is unknown or bound by a hard rule, a value has another type,
                or a rule could never hold with it.
        """
        if not declared:
            return self
        checked = {name: self._check_threshold(name, declared[name]) for name in sorted(declared)}
        return _override(self, tuple(checked.items()))

    def _check_threshold(self, name: str, value: object) -> FactValue:
        if name not in self.thresholds:
            near = difflib.get_close_matches(name, self.thresholds, n=1)
            hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(self.thresholds)}"
            raise ThresholdRefused(f"policy {self.version} has no threshold {name!r}; {hint}")
        binding = [
            rule.stated.id
            for rule in (each.rule for each in self.hard)
            if any(name in self.leaves[number].thresholds for number in rule.all_leaves)
        ]
        if binding:
            raise ThresholdRefused(
                f"threshold {name!r} cannot be set by a use case: hard rules use it "
                f"({', '.join(binding)})"
            )
        own = self.thresholds[name].value
        kind = next(kind for kind in (bool, int | float, str) if isinstance(own, kind))
        is_same = isinstance(value, kind) and isinstance(value, bool) is isinstance(own, bool)
        if not is_same or (isinstance(value, float) and not math.isfinite(value)):
            words = {bool: "true or false", str: "a text"}.get(type(own), "a finite number")
            raise ThresholdRefused(f"threshold {name!r} must be {words}, not {value!r:.80}")
        return value  # type: ignore[return-value]  # its kind was just checked


@functools.lru_cache(maxsize=256)
def _override(policy: Policy, declared: tuple[tuple[str, FactValue], ...]) -> Policy:
    """Return the policy with other thresholds; only the leaves that name them are compiled."""
    thresholds = dict(policy.thresholds)
    for name, value in declared:
        own = thresholds[name]
        source = f"declared by the use case; the policy says {own.value}"
        thresholds[name] = Threshold(value, source, own.unit, instead_of=own.value)
    values = {name: threshold.value for name, threshold in thresholds.items()}
    changed = {name for name, _ in declared}

    def compile_again(leaf: Leaf, compiler: LeafCompiler) -> Leaf:
        if changed.isdisjoint(leaf.thresholds):
            return leaf
        try:
            return compiler.compile(leaf.expression)
        except LeafFault as exc:
            said = f"{_spell_thresholds(declared)}: {leaf.expression!r}: {exc}"
            raise ThresholdRefused(said) from exc

    before, after = _leaf_compiler(FACTS, values), _leaf_compiler(_SETTLE_FACTS, values)
    settled = tuple(compile_again(leaf, after) for leaf in policy.settling.leaves)
    variant = replace(
        policy,
        thresholds=thresholds,
        leaves=tuple(compile_again(leaf, before) for leaf in policy.leaves),
        settling=replace(policy.settling, leaves=settled),
        overrides={name: thresholds[name] for name in sorted(changed)},
    )
    for fault in find_faults(variant, FACTS, EVIDENCE_FACTS):
        if fault.refuses:
            key = spell(fault.where)
            raise ThresholdRefused(f"with {_spell_thresholds(declared)}, {key} {fault.reason}")
    return variant


def _spell_thresholds(declared: Iterable[tuple[str, FactValue]]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in declared)


def load_policy(path: Path | str, *, work: int = LOAD_WORK) -> Policy:
    """Read, check and compile a policy file.

    Args:
        path: A UTF-8 YAML file; `router/policy/default_policy.yaml` shows every section.
        work: The most work to spend on checks of its rules, in pieces of formulas.

    Returns:
        The policy.

    Raises:
        InvalidPolicy: It cannot be read or used; file, line, key and reason are named.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, ValueError) as exc:
        raise InvalidPolicy(file=str(path), key="", reason=f"cannot be read: {exc}") from exc
    return parse_policy(text, file=str(path), work=work)


@functools.cache
def default_policy() -> Policy:
    """Return the policy that ships: the five-step flow, corrected by evidence."""
    return load_policy(DEFAULT_POLICY_FILE)


def parse_policy(text: str, *, file: str, work: int = LOAD_WORK) -> Policy:
    """Check and compile a policy from its text.

    Args:
        text: The YAML text.
        file: What to call it in errors.
        work: As for `load_policy`.

    Returns:
        The policy.

    Raises:
        InvalidPolicy: It cannot be used; file, line, key and reason are named.
    """
    document = read_document(text, file=file)
    written = validate_policy(document)
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    policy = compile_policy(written, document, version=f"{written.name}@{digest}")
    return replace(policy, warnings=_check_rules(policy, document, work=work))


def compile_policy(written: PolicySchema, document: PolicyDocument, *, version: str) -> Policy:
    """Compile a policy whose rules may still contradict each other; `parse_policy` checks that.

    Raises:
        InvalidPolicy: An expression, a rule's id or the fallback is wrong.
    """
    thresholds = _read_thresholds(written, document)
    values = {name: threshold.value for name, threshold in thresholds.items()}
    compiler = _RuleCompiler(document, _leaf_compiler(FACTS, values))
    hard = tuple(
        HardRule(
            compiler.compile(rule, ("hard", i), RuleKind.HARD, rule.forbid),
            forbids_unknown=rule.unknown == "forbid",
            binds_asked=rule.asked == "forbid",
        )
        for i, rule in enumerate(written.hard)
    )
    declining = [
        (compiler.compile(rule, ("decline", i), RuleKind.DECLINE, ()), rule)
        for i, rule in enumerate(written.decline)
    ]
    evidence, preference = (
        tuple(compiler.compile(r, (kind.value, i), kind, r.prefer) for i, r in enumerate(rules))
        for kind, rules in (
            (RuleKind.EVIDENCE, written.evidence),
            (RuleKind.PREFERENCE, written.preference),
        )
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
        decline=tuple(DeclineRule(c, r.reason, r.or_prompt_only) for c, r in declining),
    )


def _check_rules(
    policy: Policy, document: PolicyDocument, *, work: int
) -> tuple[PolicyWarning, ...]:
    """Return what the policy can never do; refuse it where that cannot be meant."""
    warnings = []
    for fault in find_faults(policy, FACTS, EVIDENCE_FACTS, work=work):
        error = document.fault(fault.where, fault.reason)
        if fault.refuses:
            raise error
        warnings.append(PolicyWarning(error.file, error.line, error.key, error.reason))
    return tuple(warnings)


def _leaf_compiler(
    facts: Mapping[str, FactSpec], thresholds: Mapping[str, FactValue]
) -> LeafCompiler:
    from router.policy.expressions import LeafCompiler  # takes 0.3 s, and few commands need it

    return LeafCompiler(facts, thresholds)


class _RuleCompiler:
    """Compiles the rules of one policy, each different leaf once."""

    def __init__(self, document: PolicyDocument, leaf_compiler: LeafCompiler) -> None:
        self.leaves: list[Leaf] = []
        self._document = document
        self._leaf_compiler = leaf_compiler
        self._numbers: dict[str, int] = {}
        self._ids = {"fallback", "asked", "otherwise", "without_retrieval"}

    def compile(
        self, text: ConditionalSchema, where: Where, kind: RuleKind, strategies: Sequence[Strategy]
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
        line = self._document.line_of(where)
        return CompiledRule(stated, when, unless, _picker(when, unless), where, line)

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
) -> Callable[[LeafFindings], tuple[LeafFinding, ...]]:
    numbers = when.leaves + (() if unless is None else unless.leaves)
    if len(numbers) == 1:  # itemgetter of one index gives the item, not a tuple of it
        return lambda found: (found[numbers[0]],)
    return itemgetter(*numbers)


def _read_thresholds(written: PolicySchema, document: PolicyDocument) -> dict[str, Threshold]:
    thresholds = {}
    for name, text in written.thresholds.items():
        if name in FACTS or name in EVIDENCE_FACTS:
            raise document.fault(("thresholds", name), "is the name of a fact")
        thresholds[name] = Threshold(text.value, text.source, text.unit)
    return thresholds


def _read_fallback(written: PolicySchema, document: PolicyDocument) -> Rule:
    order = tuple(written.fallback.prefer)
    if sorted(order) != sorted(Strategy):
        names = ", ".join(Strategy)
        raise document.fault(("fallback", "prefer"), f"must order each of {names} once")
    return Rule("fallback", RuleKind.FALLBACK, order, _because(written.fallback.because))


def _compile_settling(
    written: PolicySchema, document: PolicyDocument, values: Mapping[str, FactValue]
) -> Settling:
    compiler = _RuleCompiler(document, _leaf_compiler(_SETTLE_FACTS, values))
    rules = tuple(
        SettleRule(
            compiler.compile(rule, ("settle", "rules", i), RuleKind.SETTLE, ()),
            outcome=rule.outcome,
            or_prompt_only=rule.or_prompt_only,
            reason=rule.reason,
        )
        for i, rule in enumerate(written.settle.rules)
    )
    return Settling(
        leaves=tuple(compiler.leaves),
        rules=rules,
        otherwise=_settled("otherwise", written.settle.otherwise),
        without_retrieval=_settled("without_retrieval", written.settle.without_retrieval),
    )


def _settled(rule_id: str, because: ReasonSchema) -> Finding:
    return Finding(Rule(rule_id, RuleKind.SETTLE, (), _because(because)), truth=True)


def _because(text: ReasonSchema) -> Text:
    return Text(zh=text.zh, en=text.en)
