"""What is recommended is what `decide` says, once what can be built is there."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router import (
    FACTS,
    AdviceFormat,
    Facts,
    FactType,
    Language,
    Provenance,
    Strategy,
    advise,
    build_case,
    complete_case,
    decide,
    default_policy,
    render_advice,
)
from router.advice.plan import make_plan
from router.advice.requirements import Category, least_evenness
from tests.repetition import times
from tests.router.advice.cases import CASES, STABLE_AND_GOOD

ALL_BUILT: Mapping[str, Any] = {
    "adapter_present": True,
    "adapter_servable": True,
    "adapter_context_trained": True,
    "knowledge_present": True,
    "engine_local": True,
}


@pytest.mark.parametrize(
    ("content", "recommended", "conclusion", "fine_tuning"),
    [
        (CASES["secret and stable"], "fine_tuned", "fine_tune", "yes"),
        (CASES["style and fast"], "fine_tuned", "fine_tune", "yes"),
        (CASES["changing, cheap"], "rag", "rag", "no"),
        ({"need": "knowledge", "labelled_examples": 0}, "rag", "rag", "no"),
        (CASES["both"], "hybrid", "hybrid", "yes"),
        (CASES["pilot"], "hybrid", "hybrid", "pilot"),
        (CASES["too few"], "prompt_only", None, "not_yet"),
        (CASES["finance"], "prompt_only", None, "not_yet"),
        (
            {**CASES["finance"], "domain": "retail", "data_quality": "pass"},
            "fine_tuned",
            None,
            "yes",
        ),
        (CASES["sources"], "hybrid", None, "yes"),
        (CASES["deletable"], "rag", None, "no"),
        (CASES["nothing known"], "rag", None, "no"),
        ({"need": "style"}, "fine_tuned", None, "not_yet"),
        (CASES["secret, elsewhere"], "rag", None, "no"),
    ],
)
def test_the_conclusions(
    content: dict[str, Any], recommended: str, conclusion: str | None, fine_tuning: str
) -> None:
    advice = advise(build_case(content), default_policy())
    assert advice.plan.recommended == recommended
    assert (advice.conclusion.id if advice.conclusion else None) == conclusion
    assert advice.plan.fine_tuning == fine_tuning


def test_a_small_budget_is_the_cost_sensitive_conclusion() -> None:
    advice = advise(build_case(CASES["changing, cheap"]), default_policy())
    assert advice.conclusion is not None
    assert advice.conclusion.cost_sensitive
    assert "small model with retrieval" in advice.conclusion.text.en


def test_what_runs_today_is_what_a_request_would_get() -> None:
    case = build_case({**CASES["both"], "measured": {"knowledge_present": True}})
    plan = make_plan(case, default_policy())
    assert plan.recommended is Strategy.HYBRID
    assert plan.today.strategy is decide(case.facts, default_policy()).strategy is Strategy.RAG


def test_secret_data_is_planned_on_own_machines_and_does_not_run_elsewhere() -> None:
    plan = make_plan(build_case(CASES["secret, elsewhere"]), default_policy())
    assert plan.today.conflict is not None
    assert plan.recommended is Strategy.RAG
    assert plan.assumed["engine_local"] is True


def test_an_adapter_that_does_not_serve_does_not_excuse_too_few_rows() -> None:
    few = {"need": "style", "labelled_examples": 600}
    for serves in (None, False):
        plan = make_plan(
            build_case({**few, "measured": {"adapter_servable": serves}}), default_policy()
        )
        assert plan.recommended is Strategy.PROMPT_ONLY
    served = {**ALL_BUILT, "adapter_gate_passed": True}
    plan = make_plan(build_case({**few, "measured": served}), default_policy())
    assert plan.recommended is Strategy.FINE_TUNED


def test_a_failed_gate_is_not_planned_away() -> None:
    content = {**STABLE_AND_GOOD, "need": "style", "measured": {"adapter_gate_passed": False}}
    plan = make_plan(build_case(content), default_policy())
    assert plan.recommended is Strategy.PROMPT_ONLY
    assert plan.fine_tuning == "no"


def test_a_win_over_what_was_never_compared_is_no_evidence() -> None:
    won = {"rag_score_low": 0.6, "rag_score_high": 0.7, "prompt_only_score_high": 0.2}
    measured = {
        **won,
        "knowledge_present": True,
        "adapter_present": False,
        "adapter_servable": False,
    }
    plan = make_plan(build_case({**CASES["both"], "measured": measured}), default_policy())
    assert plan.today.rule == "measured_best_rag"
    assert plan.recommended is Strategy.HYBRID


def _values(name: str) -> st.SearchStrategy[Any]:
    spec = FACTS[name]
    if spec.type is FactType.TRUTH:
        return st.booleans()
    if spec.type is FactType.NUMBER:
        if spec.maximum is not None:
            return st.sampled_from([0, 0.4, spec.maximum])
        return st.sampled_from([0, 0.4, 1, 99, 2_000, 2_600, 10**6, 10**30, 10**400])
    return st.sampled_from(spec.choices or ("finance", "classification", "qa", "<b>", ""))


@st.composite
def known(draw: st.DrawFn, *sources: Provenance) -> Facts:
    stated: dict[Provenance, dict[str, Any]] = {source: {} for source in Provenance}
    possible = sorted(name for name, spec in FACTS.items() if spec.provenances & set(sources))
    for name in draw(st.sets(st.sampled_from(possible), max_size=25)):
        source = draw(st.sampled_from(sorted(FACTS[name].provenances & set(sources))))
        stated[source][name] = draw(_values(name))
    return Facts.build(stated[Provenance.DECLARED], stated[Provenance.MEASURED])


FACTS_OF_A_CASE = known(Provenance.DECLARED, Provenance.MEASURED)


@settings(max_examples=times(150, 3_000), deadline=None)
@given(FACTS_OF_A_CASE)
def test_with_everything_built_advice_and_route_agree(facts: Facts) -> None:
    built = Facts(
        {**facts.values, **ALL_BUILT},
        {**facts.provenances, **dict.fromkeys(ALL_BUILT, Provenance.MEASURED)},
    )
    case = complete_case(built)
    routed = decide(case.facts, default_policy())
    plan = make_plan(case, default_policy())
    assert plan.recommended == (None if routed.conflict else routed.strategy)
    assert plan.target.rule == routed.rule


@settings(max_examples=times(150, 3_000), deadline=None)
@given(FACTS_OF_A_CASE)
def test_advice_is_total_and_never_against_a_hard_rule(facts: Facts) -> None:
    advice = advise(complete_case(facts), default_policy())
    plan = advice.plan
    assert plan.today == decide(advice.case.facts, default_policy())
    assert plan.target == decide(plan.facts, plan.policy)
    if plan.recommended is not None:
        assert not plan.target.forbids(plan.recommended)
    for form in AdviceFormat:
        assert render_advice(advice, Language.ZH, form)
    dropped = {r.rule.stated.id for r in default_policy().hard} - {
        r.rule.stated.id for r in plan.policy.hard
    }
    assert dropped == {"no_adapter", "adapter_not_servable", "no_knowledge"}


@pytest.mark.parametrize(("kinds", "least"), [(4, 0.963), (10, 0.963), (20, 0.740)])
def test_ten_kinds_or_more_need_so_many_bits_and_fewer_the_same_share(
    kinds: int, least: float
) -> None:
    categories = [Category(f"kind {number}", 10) for number in range(kinds)]
    assert least_evenness(categories) == pytest.approx(least, abs=1e-3)
