"""What is missing, in numbers: rows, quality, facts nobody stated, comparisons nobody ran.

For a missing fact it also says how to get it, and whether knowing it could change the advice: it
asks `decide` again with each answer the fact could have.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from router.advice.case import Case
from router.advice.estimates import Estimates
from router.advice.floors import (
    CHECKS,
    Category,
    Floor,
    evenness,
    least_evenness,
    missing_by_category,
    threshold_of,
)
from router.advice.flow import check_in_words
from router.advice.plan import Plan, recommend
from router.advice.wording import FACT_NAMES, STRATEGIES, Mark, number, quantity, told
from router.decision import Strategy
from router.facts import FACTS, Facts, FactType, FactValue
from router.policy.loading import Policy
from router.text import Text

GapKind = Literal["rows", "quality", "fact", "measurement"]

CHECK: Final = "fingerpost data check ROWS.jsonl --use-case USE_CASE"
COMPARE: Final = "fingerpost compare QUESTIONS.jsonl --use-case USE_CASE"
# A compare on fewer says nothing of chance (the service gathers no intervals below it).
MIN_QUESTIONS: Final = 10
_ASK: Final = Text(zh="写进事实文件", en="write it into the facts file")
# The facts of the flow, in its order, and how each is found out; `{choices}` are its values.
_HOW: Final[Mapping[str, tuple[Text, str | None]]] = {
    "labelled_examples": (
        Text(zh="数一数可用于训练的数据条数", en="count the rows fit for training"),
        CHECK,
    ),
    "data_quality": (
        Text(
            zh="做五项检查：相关 ≥ 90 %、场景覆盖 ≥ 80 %、标注不一致 < 5 %、近一年 ≥ 80 %、无个人"
            "信息；例如请两人各自标注同样的 100 条",
            en="make the five checks: relevant ≥ 90 %, scenarios covered ≥ 80 %, label "
            "disagreement < 5 %, from the last year ≥ 80 %, no personal data; e.g. let two "
            "people label the same 100 rows",
        ),
        CHECK,
    ),
    "knowledge_changes_per_week": (
        Text(
            zh="查看知识库的文档历史，或估计每周改动的文档数",
            en="look at the document history, or estimate how many documents change a week",
        ),
        "fingerpost kb history KNOWLEDGE_BASE",
    ),
    "need": (_ASK, None),
    "budget": (_ASK, None),
    "citations_required": (_ASK, None),
    "privacy": (_ASK, None),
    "data_deletable": (_ASK, None),
    "domain": (
        Text(
            zh="写进事实文件；finance 与 legal 的数据下限上浮 30 %",
            en="write it into the facts file; finance and legal need 30 % more rows",
        ),
        None,
    ),
}


@dataclass(frozen=True, slots=True)
class Gap:
    """One thing that is missing.

    Attributes:
        kind: What sort of thing.
        about: The fact or category it is about.
        text: What is missing, in numbers.
        how: How to get it; None where the text says it.
        command: A command that helps; None where there is none.
        have: What there is, None where that is unknown.
        need: What is needed, None where that is no number.
        missing: The difference.
        changes: Answers that would change the advice, with what it would then be; only for facts.
    """

    kind: GapKind
    about: str
    text: Text
    how: Text | None = None
    command: str | None = None
    have: float | None = None
    need: float | None = None
    missing: float | None = None
    changes: tuple[tuple[Text, Strategy | None], ...] = ()


def find_gaps(
    case: Case, plan: Plan, policy: Policy, floor: Floor, estimates: Estimates
) -> tuple[Gap, ...]:
    """Return what is missing: rows, quality, facts (first those that matter), measurements."""
    facts = list(_facts(case.facts, plan, policy, floor))
    facts.sort(key=lambda gap: not gap.changes)
    return (
        *_rows(case, plan, floor),
        *_quality(case),
        *facts,
        *_measurements(case.facts, estimates),
    )


def _rows(case: Case, plan: Plan, floor: Floor) -> Iterator[Gap]:
    have = case.facts.get("labelled_examples")
    if isinstance(have, int | float) and have < floor.minimum:
        yield _row_gap(
            "labelled_examples", None, have, floor.minimum, idle=plan.fine_tuning == "no"
        )
        by_category = missing_by_category(case.categories, floor)
    else:
        # Enough in all, and one kind may still be short: only with declared shares is that known.
        by_category = tuple(
            gap for gap in missing_by_category(case.categories, floor) if gap[0].share is not None
        )
    for category, rows in by_category:
        need = category.rows + rows
        yield _row_gap(category.name, category, category.rows, need, idle=False)
    passages = case.facts.get("context_bearing_examples")
    known: float = passages if isinstance(passages, int | float) else 0
    if (
        isinstance(have, int | float)
        and have < floor.minimum
        and known < floor.pilot
        and case.facts.get("need") == "both"
    ):
        lacking = floor.pilot - known
        yield Gap(
            "rows",
            "context_bearing_examples",
            Text(
                zh=f"再有 {number(lacking)} 条带检索段落的样本（共 {number(floor.pilot)} 条），就"
                "可以做混合策略的试点",
                en=f"{number(lacking)} more rows with passages ({number(floor.pilot)} in all) "
                "would allow a pilot of hybrid",
            ),
            have=None if passages is None else float(known),
            need=floor.pilot,
            missing=lacking,
        )


def _row_gap(about: str, category: Category | None, have: float, need: float, *, idle: bool) -> Gap:
    missing = need - have
    of_zh = f"“{category.name}”类" if category else ""
    of_en = f" of {category.name}" if category else ""
    note_zh = "（仅在要微调时需要，本建议不微调）" if idle else ""
    note_en = ", needed only for fine-tuning, which is not advised here" if idle else ""
    if category is not None and category.share is None:
        note_zh, note_en = "（按各类均分计算）", ", if every kind is to have an equal part"
    return Gap(
        "rows",
        about,
        Text(
            zh=f"还差{of_zh} {number(missing)} 条标注数据（现有 {number(have)}，需要 "
            f"{number(need)}）{note_zh}",
            en=f"{number(missing)} more labelled rows{of_en} ({number(have)} of "
            f"{number(need)}){note_en}",
        ),
        have=have,
        need=need,
        missing=missing,
    )


def _quality(case: Case) -> Iterator[Gap]:
    for check in CHECKS:
        value = case.facts.get(check.fact)
        if check.judge(case.facts) is False and isinstance(value, int | float):
            yield Gap(
                "quality",
                check.fact,
                check_in_words(
                    check.fact, value, check.limit, at_least=check.at_least, strict=check.strict
                ),
                have=value,
                need=check.limit,
                missing=abs(value - check.limit),
            )
    even, least = evenness(case.categories), least_evenness(case.categories)
    if even is not None and even < least:
        yield Gap(
            "quality",
            "categories",
            Text(
                zh=f"各类数据不均衡：均衡度 {number(100 * even)}%，应超过 {number(100 * least)}%",
                en=f"the kinds of rows are uneven: {number(100 * even)}% of an even spread, "
                f"should be over {number(100 * least)}%",
            ),
            have=even,
            need=least,
            missing=least - even,
        )


def _facts(facts: Facts, plan: Plan, policy: Policy, floor: Floor) -> Iterator[Gap]:
    for name, (how, command) in _HOW.items():
        if name in facts:
            continue
        changes = tuple(
            (words, then)
            for words, stated in _answers(name, policy, floor)
            if (then := recommend(plan, stated)) is not plan.recommended
        )
        label, spec = FACT_NAMES[name], FACTS[name]
        choices = " | ".join(spec.choices) or (
            "true | false" if spec.type is FactType.TRUTH else "…"
        )
        yield Gap(
            "fact",
            name,
            Text(zh=f"未知：{label.zh}", en=f"unknown: {label.en}"),
            how=how,
            command=command or f"{name}: {choices}",
            changes=changes,
        )


def _answers(
    name: str, policy: Policy, floor: Floor
) -> Iterator[tuple[Text, Mapping[str, FactValue]]]:
    """Yield the answers an unknown fact could have that a rule can tell apart."""
    spec = FACTS[name]
    for choice in spec.choices:
        yield told(name, choice), {name: choice}
    if spec.type is FactType.TRUTH:
        yield told(name, True), {name: True}
        yield told(name, False), {name: False}
    if name == "labelled_examples":
        least = number(floor.minimum)
        yield Text(zh=f"不足 {least} 条", en=f"fewer than {least}"), {name: floor.minimum - 1}
        yield Text(zh=f"{least} 条以上", en=f"{least} or more"), {name: floor.minimum}
    if name == "knowledge_changes_per_week":
        most = threshold_of(policy, "max_knowledge_changes_per_week", 1)
        limit = quantity(most, "per_week")
        yield Text(zh=f"不超过 {limit.zh}", en=f"not more than {limit.en}"), {name: most}
        yield Text(zh=f"超过 {limit.zh}", en=f"more than {limit.en}"), {name: most + 1}


def _measurements(facts: Facts, estimates: Estimates) -> Iterator[Gap]:
    unmeasured = [STRATEGIES[s] for s in Strategy if f"{s}_score_low" not in facts]
    if unmeasured:
        zh, en = "、".join(s.zh for s in unmeasured), ", ".join(s.en for s in unmeasured)
        yield Gap(
            "measurement",
            "compare",
            Text(
                zh=f"没有对比过：{zh}；请准备至少 {MIN_QUESTIONS} 个自己的问题，让每种策略都回答"
                "一遍",
                en=f"not compared: {en}; take at least {MIN_QUESTIONS} questions of your own and "
                "let every strategy answer them",
            ),
            command=COMPARE,
        )
    by_default = [i.fact for i in estimates.inputs.values() if i.mark is Mark.ASSUMED]
    if by_default:
        zh = "、".join(FACT_NAMES[name].zh for name in by_default)
        en = ", ".join(FACT_NAMES[name].en for name in by_default)
        yield Gap(
            "fact",
            "estimates",
            Text(
                zh=f"估算用了 {len(by_default)} 个默认值：{zh}",
                en=f"the estimates take default values for: {en}",
            ),
            how=_ASK,
            command=", ".join(by_default),
        )
    if "answers_per_month" not in estimates.inputs:
        yield Gap(
            "fact",
            "answers_per_month",
            Text(
                zh="未知：每月回答量，因此算不出每月成本",
                en="unknown: answers a month, so there is no monthly cost",
            ),
            how=_ASK,
            command="answers_per_month: …",
        )
