"""What is missing, in numbers: rows, quality, facts nobody stated, comparisons nobody ran.

For a missing fact it also says how to get it, and whether knowing it could change the advice: it
asks `decide` again with each answer the fact could have.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from router.advice.case import Case
from router.advice.catalogue import join, text
from router.advice.estimates import Estimates
from router.advice.flow import check_in_words
from router.advice.plan import Plan, lacks_context_rows, recommend
from router.advice.requirements import (
    CHECKS,
    Category,
    RowRequirement,
    evenness,
    least_evenness,
    missing_by_category,
    threshold_of,
)
from router.advice.wording import Mark, fact_name, number, quantity, strategy_name, value_in_words
from router.decision import Strategy
from router.facts import FACTS, Facts, FactType, FactValue
from router.policy.loading import Policy
from router.text import Text

GapKind = Literal["rows", "quality", "fact", "measurement"]

CHECK: Final = "fingerpost data check ROWS.jsonl --use-case USE_CASE"
CONTEXT_ROWS: Final = (
    "fingerpost data context --questions QUESTIONS.jsonl --kb KNOWLEDGE_BASE --out ROWS.jsonl"
)
COMPARE: Final = "fingerpost compare QUESTIONS.jsonl --use-case USE_CASE"
# A compare on fewer says nothing of chance (the service gathers no intervals below it).
MIN_QUESTIONS: Final = 10
# The facts of the flow, in its order: the text that says how each is found out, and a command.
_HOW: Final[Mapping[str, tuple[str, str | None]]] = {
    "labelled_examples": ("gaps.how.labelled_examples", CHECK),
    "data_quality": ("gaps.how.data_quality", CHECK),
    "knowledge_changes_per_week": (
        "gaps.how.knowledge_changes_per_week",
        "fingerpost kb history KNOWLEDGE_BASE",
    ),
    "need": ("gaps.how.stated", None),
    "budget": ("gaps.how.stated", None),
    "citations_required": ("gaps.how.stated", None),
    "privacy": ("gaps.how.stated", None),
    "data_deletable": ("gaps.how.stated", None),
    "domain": ("gaps.how.domain", None),
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
    case: Case, plan: Plan, policy: Policy, required: RowRequirement, estimates: Estimates
) -> tuple[Gap, ...]:
    """Return what is missing: rows, quality, facts (first those that matter), measurements."""
    facts = list(_facts(case.facts, plan, policy, required))
    facts.sort(key=lambda gap: not gap.changes)
    return (
        *_rows(case, plan, required),
        *_context_rows(case, plan, required),
        *_quality(case),
        *facts,
        *_measurements(case.facts, estimates),
    )


def _rows(case: Case, plan: Plan, required: RowRequirement) -> Iterator[Gap]:
    have = case.facts.get("labelled_examples")
    if isinstance(have, int | float) and have < required.minimum:
        yield _row_gap(
            "labelled_examples", None, have, required.minimum, idle=plan.fine_tuning == "no"
        )
        by_category = missing_by_category(case.categories, required)
    else:
        # Enough in all, and one kind may still be short: only with declared shares is that known.
        by_category = tuple(
            gap
            for gap in missing_by_category(case.categories, required)
            if gap[0].share is not None
        )
    for category, rows in by_category:
        need = category.rows + rows
        idle = plan.fine_tuning == "no"
        yield _row_gap(category.name, category, category.rows, need, idle=idle)
    if plan.recommended is Strategy.HYBRID:
        return
    passages = case.facts.get("context_bearing_examples")
    known: float = passages if isinstance(passages, int | float) else 0
    if (
        isinstance(have, int | float)
        and have < required.minimum
        and known < required.pilot
        and case.facts.get("need") == "both"
    ):
        lacking = required.pilot - known
        yield Gap(
            "rows",
            "context_bearing_examples",
            text("gaps.rows.pilot", missing=number(lacking), pilot=number(required.pilot)),
            have=None if passages is None else float(known),
            need=required.pilot,
            missing=lacking,
        )


def _context_rows(case: Case, plan: Plan, required: RowRequirement) -> Iterator[Gap]:
    """Yield the rows with passages that a recommended hybrid needs and nobody has named."""
    if not lacks_context_rows(case.facts, plan, required):
        return
    have, pilot = case.facts.get("context_bearing_examples"), required.pilot
    known = have if isinstance(have, int | float) else None
    if known is None:
        content = text("gaps.rows.passages_unknown", pilot=number(pilot))
    else:
        figures = {"missing": number(pilot - known), "have": number(known)}
        content = text("gaps.rows.passages", need=number(pilot), **figures)
    yield Gap(
        "rows",
        "context_bearing_examples",
        content,
        how=text("gaps.how.passages"),
        command=CONTEXT_ROWS,
        have=known,
        need=pilot,
        missing=None if known is None else pilot - known,
    )


def _row_gap(about: str, category: Category | None, have: float, need: float, *, idle: bool) -> Gap:
    missing = need - have
    figures = {"missing": number(missing), "have": number(have), "need": number(need)}
    if category is None:
        content = text("gaps.rows.total", **figures)
    else:
        content = text("gaps.rows.category", category=category.name, **figures)
    if category is not None and category.share is None:
        content = text("gaps.rows.equal_parts", text=content)
    elif idle:
        content = text("gaps.rows.only_for_training", text=content)
    return Gap("rows", about, content, have=have, need=need, missing=missing)


def _quality(case: Case) -> Iterator[Gap]:
    failed = [check for check in CHECKS if check.judge(case.facts) is False]
    if case.facts.get("data_quality") == "fail" and not failed:
        how = text("gaps.how.data_quality")
        yield Gap("quality", "data_quality", text("gaps.checks_failed"), how=how, command=CHECK)
    for check in CHECKS:
        value = case.facts.get(check.fact)
        if check.judge(case.facts) is False and isinstance(value, int | float):
            yield Gap(
                "quality",
                check.fact,
                check_in_words(check, value),
                have=value,
                need=check.limit,
                missing=abs(value - check.limit),
            )
    even, least = evenness(case.categories), least_evenness(case.categories)
    if even is not None and even < least:
        yield Gap(
            "quality",
            "categories",
            text("gaps.uneven", even=number(100 * even), least=number(100 * least)),
            have=even,
            need=least,
            missing=least - even,
        )


def _facts(facts: Facts, plan: Plan, policy: Policy, required: RowRequirement) -> Iterator[Gap]:
    for name, (how, command) in _HOW.items():
        if name in facts:
            continue
        changes = tuple(
            (words, then)
            for words, stated in _answers(name, policy, required)
            if (then := recommend(plan, stated)) is not plan.recommended
        )
        spec = FACTS[name]
        choices = " | ".join(spec.choices) or (
            "true | false" if spec.type is FactType.TRUTH else "…"
        )
        yield Gap(
            "fact",
            name,
            text("gaps.unknown_fact", name=fact_name(name)),
            how=text(how),
            command=command or f"{name}: {choices}",
            changes=changes,
        )


def _answers(
    name: str, policy: Policy, required: RowRequirement
) -> Iterator[tuple[Text, Mapping[str, FactValue]]]:
    """Yield the answers an unknown fact could have that a rule can tell apart."""
    spec = FACTS[name]
    for choice in spec.choices:
        yield value_in_words(name, choice), {name: choice}
    if spec.type is FactType.TRUTH:
        yield value_in_words(name, True), {name: True}
        yield value_in_words(name, False), {name: False}
    if name == "labelled_examples":
        least = number(required.minimum)
        yield text("gaps.answers.rows_below", minimum=least), {name: required.minimum - 1}
        yield text("gaps.answers.rows_from", minimum=least), {name: required.minimum}
    if name == "knowledge_changes_per_week":
        most = threshold_of(policy, "max_knowledge_changes_per_week", 1)
        limit = quantity(most, "per_week")
        yield text("gaps.answers.changes_up_to", limit=limit), {name: most}
        yield text("gaps.answers.changes_over", limit=limit), {name: most + 1}


def _measurements(facts: Facts, estimates: Estimates) -> Iterator[Gap]:
    unmeasured = [strategy_name(s) for s in Strategy if f"{s}_score_low" not in facts]
    if unmeasured:
        strategies = join(unmeasured, "comma")
        yield Gap(
            "measurement",
            "compare",
            text("gaps.compare", strategies=strategies, count=MIN_QUESTIONS),
            command=COMPARE,
        )
    by_default = [i.fact for i in estimates.inputs.values() if i.mark is Mark.ASSUMED]
    if by_default:
        names = join((fact_name(name) for name in by_default), "comma")
        yield Gap(
            "fact",
            "estimates",
            text("gaps.defaults", count=len(by_default), names=names),
            how=text("gaps.how.stated"),
            command=", ".join(by_default),
        )
    if "answers_per_month" not in estimates.inputs:
        yield Gap(
            "fact",
            "answers_per_month",
            text("gaps.answers_per_month"),
            how=text("gaps.how.stated"),
            command="answers_per_month: …",
        )
