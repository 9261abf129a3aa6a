"""Decisions held against outcomes: every number worked out by hand on a few questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from router import Facts, Regret, Strategy, Trial, default_policy, measure_regret
from router.policy.loading import parse_policy
from tests.router.policy.test_thresholds import POLICY

CAN_RUN = {
    "knowledge_present": True,
    "adapter_present": True,
    "adapter_servable": True,
    "adapter_context_trained": True,
}
ORDER = (Strategy.PROMPT_ONLY, Strategy.RAG, Strategy.FINE_TUNED, Strategy.HYBRID)


def ends(values: Sequence[float]) -> tuple[float, float]:
    return min(values), max(values)


def trial(name: str, *scores: float | None, live: float | None = None, **request: object) -> Trial:
    """A question on which prompt_only, rag, fine_tuned, hybrid scored what is given."""
    asked = dict(zip(ORDER, scores, strict=False))
    facts = Facts.build({"need": "both"}, CAN_RUN, request)
    return Trial(name, facts, asked, live)


def judged(*trials: Trial, **others: Sequence[Strategy]) -> Regret:
    return measure_regret(trials, default_policy(), interval=ends, others=others)


GREETING = trial("hello", 1.0, 0.0, 0.5, 0.0, chitchat=True)
FACT = trial("fact", 0.0, 0.5, 0.0, 0.75, asks_fact=True)
OTHER = trial("other", 0.0, 1.0, 0.0, 0.0, asks_fact=True)
FORMAT = trial("format", 0.0, 0.5, 0.5, 0.0, needs_no_sources="given_text", asks_fact=False)
ALL = (GREETING, FACT, OTHER, FORMAT)  # chit_chat, need_both, need_both, task_on_given_text


def test_the_router_is_scored_by_what_its_choice_got() -> None:
    router = judged(*ALL).router
    assert router.strategies == {
        Strategy.PROMPT_ONLY: 1,
        Strategy.FINE_TUNED: 1,
        Strategy.HYBRID: 2,
    }
    assert router.score is not None
    assert router.regret is not None
    assert router.score.value == pytest.approx((1.0 + 0.75 + 0.0 + 0.5) / 4)
    assert router.regret.value == pytest.approx(25.0)  # 100 points lost on one of four questions
    assert (router.regret.low, router.regret.high) == (0.0, 100.0)


def test_best_fixed_and_oracle_stand_beside_it() -> None:
    regret = judged(*ALL)
    assert regret.best_fixed is Strategy.RAG
    assert regret.oracle.score is not None
    assert regret.oracle.score.value == pytest.approx((1.0 + 0.75 + 1.0 + 0.5) / 4)
    rag = regret.fixed[Strategy.RAG]
    assert rag.score is not None
    assert rag.gain is not None
    assert (rag.score.value, rag.gain.value) == (0.5, 0.0)
    assert regret.router.gain is not None
    assert regret.router.gain.value == pytest.approx(6.25)


def test_what_the_rules_cost_and_saved_adds_up_to_the_routers_own() -> None:
    regret = judged(*ALL)
    by_rule = {rule.pick.rule: rule for rule in regret.rules}
    assert [rule.fired for rule in regret.rules] == [2, 1, 1]
    assert regret.rules[0].pick.rule == "need_both"
    assert by_rule["chit_chat"].gain == pytest.approx(25.0)
    assert by_rule["need_both"].regret == pytest.approx(25.0)
    each = by_rule["need_both"].regret_each
    assert each is not None
    assert each.value == pytest.approx(50.0)
    assert regret.router.gain is not None
    assert regret.router.regret is not None
    assert sum(r.gain or 0 for r in regret.rules) == pytest.approx(regret.router.gain.value)
    assert sum(r.regret or 0 for r in regret.rules) == pytest.approx(regret.router.regret.value)


def test_differences_are_formed_per_question_before_their_interval_is_made() -> None:
    seen: list[list[float]] = []

    def note(values: Sequence[float]) -> tuple[float, float]:
        seen.append(list(values))
        return 0.0, 0.0

    measure_regret(ALL, default_policy(), interval=note)
    assert [0.0, 0.0, 100.0, 0.0] in seen  # the router's points lost
    assert [100.0, 25.0, -100.0, 0.0] in seen  # and won, against rag


def test_a_missing_score_is_counted_and_never_taken_for_zero() -> None:
    refused = trial("refused", 0.5, 1.0, None, None, asks_fact=True)
    regret = judged(FACT, refused)
    hybrid = regret.fixed[Strategy.HYBRID]
    assert (hybrid.n, hybrid.missing) == (1, 1)
    assert hybrid.score is not None
    assert hybrid.score.value == 0.75
    assert (regret.router.n, regret.router.missing) == (1, 1)  # it chose hybrid for both
    assert regret.rules[0].missing == 1
    assert regret.best_fixed is Strategy.RAG  # although hybrid's mean over one question is higher


def test_a_strategy_that_never_ran_has_no_figures_and_one_not_asked_is_not_listed() -> None:
    regret = judged(trial("a", 0.5, 1.0, None, asks_fact=True))
    assert list(regret.fixed) == list(ORDER[:3])
    never = regret.fixed[Strategy.FINE_TUNED]
    assert (never.n, never.score, never.regret, never.gain) == (0, None, None, None)
    assert never.as_dict()["score_low"] is None


def test_a_rule_whose_choices_never_ran_costs_nothing_that_is_known() -> None:
    (rule,) = judged(trial("a", 0.5, 1.0, None, None, asks_fact=True)).rules
    assert (rule.fired, rule.missing, rule.score, rule.regret, rule.gain) == (
        1,
        1,
        None,
        None,
        None,
    )
    assert rule.as_dict()["gain_each"] is None


def test_where_nothing_may_run_the_router_has_no_score() -> None:
    facts = Facts.build({"privacy": "secret"}, {**CAN_RUN, "engine_local": False})
    regret = judged(Trial("secret", facts, {Strategy.RAG: 1.0, Strategy.PROMPT_ONLY: 0.0}))
    assert regret.router.missing == 1
    assert regret.rules[0].pick.rule == "secret_data_stays_local"
    assert regret.rules[0].as_dict()["strategies"] == {}


def test_live_answers_and_other_choosers_are_held_against_the_same() -> None:
    regret = judged(
        trial("a", 0.0, 1.0, live=0.5, asks_fact=True),
        trial("b", 0.0, 1.0, asks_fact=True),
        words=[Strategy.RAG, Strategy.PROMPT_ONLY],
    )
    assert regret.live is not None
    assert (regret.live.n, regret.live.missing) == (1, 1)
    assert regret.live.regret is not None
    assert regret.live.regret.value == 50.0
    words = regret.others["words"]
    assert words.score is not None
    assert words.score.value == 0.5
    assert judged(FACT).live is None


ALWAYS_PROMPT = """
name: plain
thresholds: {}
hard: []
evidence: []
preference: []
fallback:
  prefer: [prompt_only, rag, fine_tuned, hybrid]
  because: {zh: 因, en: since}
settle:
  rules: []
  otherwise: {zh: 因, en: since}
  without_retrieval: {zh: 因, en: since}
"""


def test_another_policy_is_judged_on_the_same_outcomes() -> None:
    plain = parse_policy(ALWAYS_PROMPT, file="plain.yaml")
    regret = measure_regret(ALL, plain, interval=ends)
    assert regret.policy_version == plain.version
    assert regret.router.score is not None
    assert regret.router.score.value == 0.25
    assert regret.rules[0].pick.rule == "fallback"


@pytest.mark.parametrize(
    ("thresholds", "strategy"),
    [({}, Strategy.HYBRID), ({"limit": 4}, Strategy.PROMPT_ONLY), ({"gone": 4}, Strategy.HYBRID)],
)
def test_the_use_cases_own_thresholds_hold_when_deciding_again(
    thresholds: dict[str, object], strategy: Strategy
) -> None:
    facts = Facts.build({"labelled_examples": 5})
    scores = {Strategy.PROMPT_ONLY: 1.0, Strategy.HYBRID: 0.0}
    asked = Trial("a", facts, scores, thresholds=thresholds)
    regret = measure_regret([asked], parse_policy(POLICY, file="p.yaml"), interval=ends)
    assert regret.router.strategies == {strategy: 1}


def plain(row: Mapping[str, object]) -> Mapping[str, object]:
    return {key: row[key] for key in ("n", "missing", "score", "regret", "strategies")}


def test_everything_can_be_told_as_plain_content() -> None:
    regret = judged(*ALL)
    assert plain(regret.router.as_dict()) == {
        "n": 4,
        "missing": 0,
        "score": 0.5625,
        "regret": 25.0,
        "strategies": {"prompt_only": 1, "fine_tuned": 1, "hybrid": 2},
    }
    rule = regret.rules[0].as_dict()
    assert (rule["rule"], rule["kind"], rule["share"]) == ("need_both", "preference", 0.5)
    assert isinstance(rule["because"], dict)
    assert (rule["gain"], rule["gain_each"]) == (-18.75, -37.5)
