"""The five questions of the decision flow, what this case answers to each, and what else binds.

Each step shows what was asked, what is known, the verdict, and the rules and thresholds of the
policy in force that speak of it. The choice itself is made by `decide`, not here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from router.advice.case import Case
from router.advice.floors import CHECKS, find_floor, threshold_of
from router.advice.plan import Plan, enough_data
from router.advice.wording import FACT_NAMES, STRATEGIES, number, quantity, told
from router.decision import Finding, RuleKind, Strategy
from router.facts import Facts, FactValue
from router.policy.loading import Policy
from router.text import Text

Answer = Literal["yes", "no", "unknown", "knowledge", "style", "both"]

_DATA: Final = (
    "labelled_examples",
    "data_quality",
    "context_bearing_examples",
    "domain",
    *(check.fact for check in CHECKS),
)
_ASKED: Final[Mapping[str, tuple[Text, tuple[str, ...]]]] = {
    "data": (
        Text(zh="有没有足够的高质量标注数据？", en="Is there enough good labelled data?"),
        _DATA,
    ),
    "change": (
        Text(zh="知识是否经常变化？", en="Does the knowledge change often?"),
        ("knowledge_changes_per_week", "adapter_older_than_knowledge"),
    ),
    "need": (
        Text(zh="缺的是风格，还是知识？", en="Is style lacking, or knowledge?"),
        ("need", "task_type", "adapter_context_trained"),
    ),
    "budget": (Text(zh="预算是否有限？", en="Is the budget limited?"), ("budget",)),
    "sources": (
        Text(zh="是否必须给出出处？", en="Must sources be shown?"),
        ("citations_required",),
    ),
    "privacy": (
        Text(zh="数据是否涉密？", en="Is the data secret?"),
        ("privacy", "engine_local"),
    ),
    "deletable": (
        Text(zh="数据是否须可随时删除？", en="Must data stay deletable?"),
        ("data_deletable",),
    ),
    "latency": (
        Text(zh="延迟要求能否满足？", en="Is the latency budget met?"),
        ("latency_budget_ms", *(f"{strategy}_p95_ms" for strategy in Strategy)),
    ),
    "measured": (
        Text(zh="是否在自己的问题上对比过？", en="Were the strategies compared on own questions?"),
        tuple(f"{strategy}_score" for strategy in Strategy),
    ),
}
STEPS: Final = ("data", "change", "need", "budget", "sources")


@dataclass(frozen=True, slots=True)
class Step:
    """One question of the flow.

    Attributes:
        id: Its name.
        number: 1 to 5; None for what is asked besides the five steps.
        question: What is asked.
        verdict: The answer.
        finding: What the answer means here.
        facts: The facts it asks for, known or not.
        thresholds: Names of the policy's thresholds that the rules compare them with.
        rules: The rules of the policy that name one of the facts, with their findings.
    """

    id: str
    number: int | None
    question: Text
    verdict: Answer
    finding: Text
    facts: tuple[str, ...]
    thresholds: tuple[str, ...]
    rules: tuple[Finding, ...]


def walk_flow(case: Case, plan: Plan, policy: Policy) -> tuple[Step, ...]:
    """Return the five steps in order, then what is asked besides them."""
    facts = case.facts
    answered: Mapping[str, tuple[Answer, Text]] = {
        "data": _data(facts, policy),
        "change": _change(facts, policy),
        "need": _need(facts),
        "budget": _budget(facts),
        "sources": _sources(facts),
        "privacy": _privacy(facts),
        "deletable": _deletable(facts),
        "latency": _latency(facts),
        "measured": _measured(facts),
    }
    steps = []
    for id_, (verdict, finding) in answered.items():
        question, names = _ASKED[id_]
        rules = tuple(f for f in plan.target.findings if _speaks_of(f, names))
        steps.append(
            Step(
                id=id_,
                number=STEPS.index(id_) + 1 if id_ in STEPS else None,
                question=question,
                verdict=verdict,
                finding=finding,
                facts=tuple(n for n in names if n in facts or id_ in STEPS and n not in _OPTIONAL),
                thresholds=_thresholds(rules, names),
                rules=rules,
            )
        )
    return tuple(steps)


# Asked for only where somebody stated them: a step is answered without.
_OPTIONAL: Final = frozenset(
    {
        "context_bearing_examples",
        "domain",
        "task_type",
        "adapter_older_than_knowledge",
        "adapter_context_trained",
        *(check.fact for check in CHECKS),
    }
)


def check_in_words(
    fact: str, value: FactValue, limit: float, *, at_least: bool, strict: bool
) -> Text:
    """Return what a check found and what it asks, e.g. "label disagreement is 9 %, ..."."""
    name, found = FACT_NAMES[fact], told(fact, value)
    unit = "rows" if fact.endswith("_rows") else "percent"
    bound = quantity(limit, unit)
    if at_least:
        zh, en = f"须达到 {bound.zh}", f"must be at least {bound.en}"
    elif strict:
        zh, en = f"须低于 {bound.zh}", f"must be below {bound.en}"
    else:
        zh, en = f"须为 {bound.zh}", f"must be {bound.en}"
    return Text(zh=f"{name.zh}为 {found.zh}，{zh}", en=f"{name.en} is {found.en}, {en}")


def failed_checks(facts: Facts) -> tuple[Text, ...]:
    """Return each of the five checks that fails, in numbers."""
    return tuple(
        check_in_words(
            check.fact,
            facts.values[check.fact],
            check.limit,
            at_least=check.at_least,
            strict=check.strict,
        )
        for check in CHECKS
        if check.judge(facts) is False
    )


def _data(facts: Facts, policy: Policy) -> tuple[Answer, Text]:
    floor = find_floor(facts, policy)
    rows, quality = facts.get("labelled_examples"), facts.get("data_quality")
    zh, en = [], []
    if not isinstance(rows, int | float):
        zh.append(f"标注数据的条数未知（至少要 {number(floor.minimum)} 条）")
        en.append(f"the number of labelled rows is unknown ({number(floor.minimum)} are needed)")
    elif rows < floor.minimum:
        missing = floor.minimum - rows
        zh.append(
            f"有 {number(rows)} 条，至少要 {number(floor.minimum)} 条，还差 {number(missing)} 条"
        )
        en.append(
            f"there are {number(rows)} rows of the {number(floor.minimum)} needed, "
            f"{number(missing)} are missing"
        )
    else:
        zh.append(f"有 {number(rows)} 条，达到最低要求 {number(floor.minimum)} 条")
        en.append(f"there are {number(rows)} rows, at least the {number(floor.minimum)} needed")
    if quality is None:
        zh.append("五项数据检查的结果未知")
        en.append("the verdict of the five checks is unknown")
    else:
        zh.append("五项数据检查通过" if quality == "pass" else "五项数据检查未通过")
        en.append(f"the five checks {'passed' if quality == 'pass' else 'failed'}")
    for failed in failed_checks(facts):
        zh.append(failed.zh)
        en.append(failed.en)
    return _yes_no(enough_data(facts, policy)), _sentence(zh, en)


def _change(facts: Facts, policy: Policy) -> tuple[Answer, Text]:
    changes = facts.get("knowledge_changes_per_week")
    most = threshold_of(policy, "max_knowledge_changes_per_week", math.inf)
    if not isinstance(changes, int | float):
        return "unknown", Text(
            zh="变更频率未知；知识库的文档历史会给出实测值。",
            en="How often is unknown; the document history of a knowledge base measures it.",
        )
    if most == math.inf:
        return "unknown", Text(
            zh="当前策略文件没有为变更频率设阈值。",
            en="The policy in force sets no threshold for it.",
        )
    often = changes > most
    rate, limit = quantity(changes, "per_week"), quantity(most, "per_week")
    return _yes_no(often), (
        Text(
            zh=f"变更 {rate.zh}，阈值 {limit.zh}：事实必须来自检索，不能只靠权重。",
            en=f"Changes: {rate.en}, the limit is {limit.en}: facts must come from passages, "
            "never from weights alone.",
        )
        if often
        else Text(
            zh=f"变更 {rate.zh}，阈值 {limit.zh}：知识稳定。",
            en=f"Changes: {rate.en}, the limit is {limit.en}: the knowledge is stable.",
        )
    )


def _need(facts: Facts) -> tuple[Answer, Text]:
    need = facts.get("need")
    if need == "knowledge":
        return "knowledge", Text(
            zh="缺的是知识：事实来自检索，微调学不来会变的事实。",
            en="Facts are lacking: they come from passages; fine-tuning teaches few of them.",
        )
    if need == "style":
        return "style", Text(
            zh="缺的是固定的风格或格式：这正是微调擅长的。",
            en="A fixed style or format is lacking: that is what fine-tuning teaches.",
        )
    if need == "both":
        return "both", Text(
            zh="两者都缺：检索提供事实，学过阅读段落的适配器负责风格。",
            en="Both are lacking: passages bring the facts, an adapter trained to read passages "
            "the style.",
        )
    if facts.get("task_type") == "classification":
        return "style", Text(
            zh="没有说明，但分类任务的标签集合固定，适合微调。",
            en="Not stated, but a closed set of labels is what fine-tuning teaches.",
        )
    return "unknown", Text(
        zh="没有说明缺的是知识还是风格，这是影响建议最大的一问。",
        en="Not stated, and no other answer weighs as much.",
    )


def _budget(facts: Facts) -> tuple[Answer, Text]:
    if "budget" not in facts:
        return "unknown", Text(zh="没有说明预算。", en="The budget is not stated.")
    if facts.get("budget") == "limited":
        return "yes", Text(
            zh="预算有限：小模型加检索最省。",
            en="The budget is limited: a small model with retrieval costs least.",
        )
    return "no", Text(zh="预算充足，不构成限制。", en="The budget does not limit the choice.")


def _sources(facts: Facts) -> tuple[Answer, Text]:
    if "citations_required" not in facts:
        return "unknown", Text(
            zh="没有说明是否必须给出处。", en="Whether sources must be shown is not stated."
        )
    if facts.get("citations_required"):
        return "yes", Text(
            zh="必须给出处：只有检索类策略能引用，其余一律排除。",
            en="Sources must be shown: only strategies that retrieve can, all others are out.",
        )
    return "no", Text(zh="不要求出处。", en="Sources need not be shown.")


def _privacy(facts: Facts) -> tuple[Answer, Text]:
    privacy = facts.get("privacy")
    if privacy is None:
        return "unknown", Text(zh="没有说明保密程度。", en="Privacy is not stated.")
    if privacy != "secret":
        return "no", Text(zh="数据不涉密。", en="The data is not secret.")
    if facts.get("engine_local"):
        return "yes", Text(
            zh="数据涉密，推理引擎在自有机器上，可以使用。",
            en="The data is secret and the engine runs on own machines, as it must.",
        )
    return "yes", Text(
        zh="数据涉密：推理引擎必须在自有机器上，否则任何策略都不能运行。",
        en="The data is secret: the engine must run on own machines, or nothing may run.",
    )


def _deletable(facts: Facts) -> tuple[Answer, Text]:
    if "data_deletable" not in facts:
        return "unknown", Text(
            zh="没有说明数据是否须可删除。", en="Whether data must stay deletable is not stated."
        )
    if facts.get("data_deletable"):
        return "yes", Text(
            zh="须可随时删除：这样的数据不能训练进权重，只能放在知识库里。",
            en="Such data may not be trained into weights; it stays in the knowledge base.",
        )
    return "no", Text(zh="没有随时删除的要求。", en="Nothing must be deletable on demand.")


def _latency(facts: Facts) -> tuple[Answer, Text]:
    budget = facts.get("latency_budget_ms")
    measured = {s: facts.get(f"{s}_p95_ms") for s in Strategy}
    known = {s: v for s, v in measured.items() if isinstance(v, int | float)}
    if not isinstance(budget, int | float):
        return "unknown", Text(zh="没有申报延迟要求。", en="No latency budget is stated.")
    limit = quantity(budget, "ms")
    if not known:
        return "unknown", Text(
            zh=f"要求 {limit.zh} 内，但还没有实测；微调未必更快，必须测。",
            en=f"{limit.en} are wanted, but nothing was measured; fine-tuning need not be "
            "faster, so measure.",
        )
    figures = {s: quantity(v, "ms") for s, v in known.items()}
    zh = "；".join(f"{STRATEGIES[s].zh} {figure.zh}" for s, figure in figures.items())
    en = "; ".join(f"{STRATEGIES[s].en} {figure.en}" for s, figure in figures.items())
    met = any(value <= budget for value in known.values())
    return _yes_no(met), Text(
        zh=f"要求 {limit.zh} 内，实测 p95：{zh}。", en=f"{limit.en} are wanted; measured p95: {en}."
    )


def _measured(facts: Facts) -> tuple[Answer, Text]:
    scores = {s: facts.get(f"{s}_score") for s in Strategy}
    known = {s: v for s, v in scores.items() if isinstance(v, int | float)}
    if not known:
        return "no", Text(
            zh="还没有对比过：以下建议来自申报的事实，而不是实测。",
            en="Not yet: this advice rests on what was declared, not on a measurement.",
        )
    zh = "；".join(f"{STRATEGIES[s].zh} {number(v)}" for s, v in known.items())
    en = "; ".join(f"{STRATEGIES[s].en} {number(v)}" for s, v in known.items())
    return "yes", Text(zh=f"对比得分：{zh}。", en=f"Scores: {en}.")


def _speaks_of(finding: Finding, names: tuple[str, ...]) -> bool:
    if finding.kind in (RuleKind.FALLBACK, RuleKind.ASKED):
        return False
    claims = finding.leaves[: finding.stated.when_leaves]  # `unless` only holds a rule back
    return any(fact in names for leaf in claims for fact in leaf.facts)


def _thresholds(rules: tuple[Finding, ...], names: tuple[str, ...]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for finding in rules:
        for leaf in finding.leaves:
            if any(fact in names for fact in leaf.facts):
                found |= dict.fromkeys(leaf.thresholds)
    return tuple(found)


def _yes_no(truth: bool | None) -> Answer:
    return "unknown" if truth is None else "yes" if truth else "no"


def _sentence(zh: list[str], en: list[str]) -> Text:
    joined = "; ".join(en)
    return Text(zh="；".join(zh) + "。", en=joined[:1].upper() + joined[1:] + ".")
