"""A policy and a decision in words, Chinese or English, and as plain content.

Expressions stay as the policy writes them, since that is what an operator will look for and change;
what joins them, what follows from them and where a number comes from is said in words. It does not
know a terminal; it returns lines of text and plain values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from router.decision import Decision, Finding, Strategy
from router.policy.leaves import Leaf
from router.policy.loading import Policy, Threshold
from router.policy.rules import CompiledRule
from router.text import Language, Text
from router.trace import Node, Tree

_WORDS: Final[Mapping[str, Text]] = {
    "hard": Text("硬性规则（任何情况都必须遵守）", "Hard rules (always kept)"),
    "decline": Text("直接拒答的请求", "Requests that are refused at once"),
    "evidence": Text("实测证据（最近一次对比）", "Evidence (the last compare)"),
    "preference": Text(
        "偏好（按顺序，先成立者先选）", "Preferences (in order, the first that holds)"
    ),
    "pilot": Text("试点", "Pilot"),
    "fallback": Text("以上都未选定时", "When none of these chooses"),
    "settle": Text("检索之后", "After retrieval"),
    "thresholds": Text("阈值", "Thresholds"),
    "forbids": Text("禁用 {}", "forbids {}"),
    "prefers": Text("优先 {}", "prefers {}"),
    "marks": Text("{} 的回答标记为试点", "marks answers of {} as a pilot"),
    "abstain": Text("拒答", "abstains"),
    "refuses": Text("不检索、不生成，直接拒答", "refuses, nothing is retrieved or generated"),
    "prompt_only": Text("不带资料作答并注明", "answers without passages and says so"),
    "or_prompt_only": Text(
        "用例允许时改为不带资料作答并注明", "answers without passages where the use case allows it"
    ),
    "answer": Text("作答", "answers"),
    "order": Text("依次尝试 {}", "tries {} in this order"),
    "when": Text("当", "when"),
    "unless": Text("除非", "unless"),
    "all": Text("以下全部成立", "all of"),
    "any": Text("以下任一成立", "any of"),
    "none": Text("以下都不成立", "none of"),
    "because": Text("因为", "because"),
    "unknown_forbid": Text("无法判断时也禁用", "also forbids when unknown"),
    "asked_allow": Text("调用方指名时不限制", "does not bind a caller who names the strategy"),
    "from": Text("来源", "source"),
    "declared": Text("由用例声明，原值", "declared by the use case instead of"),
    "chosen": Text("选择 {}，依据规则 {}", "{} is chosen, by rule {}"),
    "conflict": Text("无法运行：规则 {} 禁止 {}", "nothing may run: rule {} forbids {}"),
    "is_pilot": Text("作为试点作答", "it answers as a pilot"),
    "rejected": Text("未选", "not chosen"),
    "nodes": Text("逐条判断", "every node"),
    "true": Text("成立", "true"),
    "false": Text("不成立", "false"),
    "unknown": Text("未知", "unknown"),
    "unknown_facts": Text("未知事实", "unknown facts"),
}


@dataclass(frozen=True, slots=True)
class ExplainedRule:
    """One rule, taken apart.

    Attributes:
        section: hard, decline, evidence, preference, pilot, fallback or settle.
        rule: The compiled rule; None for the fallback.
        effect: What it does, in both languages.
        notes: What else it says: about unknown facts, and about callers who name a strategy.
    """

    section: str
    rule: CompiledRule | None
    effect: Text
    notes: tuple[Text, ...] = ()


def rules_of(policy: Policy) -> Iterator[ExplainedRule]:
    """Yield every rule in the order the policy is read."""
    for hard in policy.hard:
        notes = [_WORDS["unknown_forbid"]] if hard.forbids_unknown else []
        notes += [] if hard.binds_asked else [_WORDS["asked_allow"]]
        effect = _fill("forbids", hard.rule.stated.strategies)
        yield ExplainedRule("hard", hard.rule, effect, tuple(notes))
    for declining in policy.decline:
        yield ExplainedRule("decline", declining.rule, _WORDS["refuses"])
    for section, rules in (("evidence", policy.evidence), ("preference", policy.preference)):
        for rule in rules:
            yield ExplainedRule(section, rule, _fill("prefers", rule.stated.strategies))
    if policy.pilot is not None:
        effect = _fill("marks", policy.pilot.stated.strategies)
        yield ExplainedRule("pilot", policy.pilot, effect)
    yield ExplainedRule("fallback", None, _fill("order", policy.fallback.strategies))
    for settle in policy.settling.rules:
        notes = [_WORDS["or_prompt_only"]] if settle.or_prompt_only else []
        yield ExplainedRule("settle", settle.rule, _WORDS[settle.outcome], tuple(notes))


def find_rule(policy: Policy, rule_id: str) -> ExplainedRule | None:
    """Return the rule of this id, or None where there is none."""
    rules = rules_of(policy)
    return next((each for each in rules if _id_of(each, policy) == rule_id), None)


def describe_policy(policy: Policy, rules: Sequence[ExplainedRule]) -> dict[str, Any]:
    """Return rules and the thresholds they name as plain content."""
    named = {name for each in rules for leaf in _leaves(each, policy) for name in leaf.thresholds}
    return {
        "version": policy.version,
        "file": policy.file,
        "thresholds": {
            name: describe_threshold(threshold)
            for name, threshold in policy.thresholds.items()
            if name in named
        },
        "rules": [describe_rule(each, policy) for each in rules],
    }


def describe_threshold(threshold: Threshold) -> dict[str, Any]:
    """Return a threshold as plain content."""
    return {"value": threshold.value, "unit": threshold.unit, "source": threshold.source}


def describe_rule(each: ExplainedRule, policy: Policy) -> dict[str, Any]:
    """Return a rule as plain content, its conditions as trees of expressions."""
    stated = policy.fallback if each.rule is None else each.rule.stated
    plain: dict[str, Any] = {
        "id": stated.id,
        "section": each.section,
        "strategies": [strategy.value for strategy in stated.strategies],
        "effect": each.effect.as_dict(),
        "because": stated.because.as_dict(),
        "notes": [note.as_dict() for note in each.notes],
    }
    if each.rule is not None:
        leaves = _section_leaves(each, policy)
        plain["line"] = each.rule.line
        plain["when"] = _plain_tree(each.rule.when.tree, leaves)
        if each.rule.unless is not None:
            plain["unless"] = _plain_tree(each.rule.unless.tree, leaves)
    return plain


def explain_policy(policy: Policy, rules: Sequence[ExplainedRule], lang: Language) -> Iterator[str]:
    """Yield the rules and the thresholds they name in words, line by line."""
    section = ""
    for each in rules:
        if each.section != section:
            yield from ([""] if section else [])
            section = each.section
            yield _label(section, lang)
        yield from _rule_lines(each, policy, lang)
    named = describe_policy(policy, rules)["thresholds"]
    if named:
        yield from ("", _label("thresholds", lang))
    for name in named:
        threshold = policy.thresholds[name]
        value = f"{threshold.value} {threshold.unit}".rstrip()
        yield f"  {name} = {value}  ({_label('from', lang)}: {threshold.source})"


def explain_decision(decision: Decision, lang: Language) -> Iterator[str]:
    """Yield a decision in words: the choice, who was rejected why, then every node."""
    if decision.conflict is None:
        yield _label("chosen", lang).format(decision.strategy, decision.rule)
    else:
        yield _label("conflict", lang).format(decision.rule, decision.strategy)
    chosen = next(f.because for f in decision.findings if f.rule == decision.rule)
    yield f"  {_label('because', lang)}: {chosen.in_language(lang)}"
    if decision.pilot:
        yield f"  {_label('is_pilot', lang)}"
    for name, threshold in decision.overrides.items():
        own = f"{_label('declared', lang)} {threshold.instead_of}"
        yield f"  {name} = {threshold.value} ({own})"
    for rejection in decision.rejected:
        reason = f"{rejection.rule}: {rejection.because.in_language(lang)}"
        yield f"  {_label('rejected', lang)} {rejection.strategy}: {reason}"
    yield from ("", _label("nodes", lang))
    for finding in decision.findings:
        lacking = "".join(f" {name}" for name in finding.unknown_facts)
        unknown = f" ({_label('unknown_facts', lang)}:{lacking})" if lacking else ""
        yield f"  {finding.rule}: {_label(finding.verdict, lang)}{unknown}"
        for lead, node in finding.nodes().items():
            yield from _node_lines(node, finding, decision, lang, _label(lead, lang), 4)


def _node_lines(
    node: Node, finding: Finding, decision: Decision, lang: Language, lead: str, indent: int
) -> Iterator[str]:
    start = " " * indent + (f"{lead} " if lead else "")
    if isinstance(node, int):
        leaf = finding.leaves[node]
        read: Any = leaf.as_dict(decision.facts.values)["values"]
        values = ", ".join(f"{name} = {value}" for name, value in read.items())
        verdict = _label(leaf.verdict, lang)
        yield f"{start}{leaf.expression}: {verdict}" + (f"  ({values})" if values else "")
        return
    (word,) = node.keys() - {"verdict"}
    branches: Any = node[word]
    yield f"{start}{_label(word, lang)}: {_WORDS[str(node['verdict'])].in_language(lang)}"
    for branch in branches:
        yield from _node_lines(branch, finding, decision, lang, "", indent + 2)


def _rule_lines(each: ExplainedRule, policy: Policy, lang: Language) -> Iterator[str]:
    stated = policy.fallback if each.rule is None else each.rule.stated
    line = "" if each.rule is None or each.rule.line is None else f"  [{each.rule.line}]"
    yield f"  {stated.id}: {each.effect.in_language(lang)}{line}"
    if each.rule is not None:
        leaves = _section_leaves(each, policy)
        for key, condition in (("when", each.rule.when), ("unless", each.rule.unless)):
            if condition is not None:
                yield from _tree_lines(condition.tree, leaves, lang, _label(key, lang), 4)
    for note in each.notes:
        yield f"    {note.in_language(lang)}"
    yield f"    {_label('because', lang)}: {stated.because.in_language(lang)}"


def _tree_lines(
    tree: Tree, leaves: Sequence[Leaf], lang: Language, lead: str, indent: int
) -> Iterator[str]:
    start = " " * indent + (f"{lead} " if lead else "")
    if isinstance(tree, int):
        leaf = leaves[tree]
        values = ", ".join(f"{name} = {value}" for name, value in leaf.thresholds.items())
        yield f"{start}{leaf.expression}" + (f"  ({values})" if values else "")
        return
    word, branches = tree
    yield f"{start}{_label(word, lang)}:"
    for branch in branches:
        yield from _tree_lines(branch, leaves, lang, "", indent + 2)


def _plain_tree(tree: Tree, leaves: Sequence[Leaf]) -> object:
    if isinstance(tree, int):
        return leaves[tree].expression
    word, branches = tree
    return {word: [_plain_tree(branch, leaves) for branch in branches]}


def _section_leaves(each: ExplainedRule, policy: Policy) -> tuple[Leaf, ...]:
    return policy.settling.leaves if each.section == "settle" else policy.leaves


def _leaves(each: ExplainedRule, policy: Policy) -> list[Leaf]:
    if each.rule is None:
        return []
    leaves = _section_leaves(each, policy)
    return [leaves[number] for number in each.rule.all_leaves]


def _id_of(each: ExplainedRule, policy: Policy) -> str:
    return policy.fallback.id if each.rule is None else each.rule.stated.id


def _fill(word: str, strategies: Sequence[Strategy]) -> Text:
    names = [strategy.value for strategy in strategies]
    text = _WORDS[word]
    return Text(zh=text.zh.format("、".join(names)), en=text.en.format(", ".join(names)))


def _label(word: str, lang: Language) -> str:
    return _WORDS[word].in_language(lang)
