"""What the router is told, and what it is not."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapters import Adapter, AdapterState
from knowledge import KnowledgeFacts
from router import Strategy, read_signals
from service.routing.facts import MIN_QUESTIONS, Measured, Requirements, gather_facts
from service.stores.comparisons import StrategyScore
from service.stores.use_cases import UseCase
from tests.fakes.evaluation import make_evaluation


def score(n: int, *, low: float = 0.2, high: float = 0.6) -> StrategyScore:
    return StrategyScore(n=n, score=0.4, low=low, high=high, p50_ms=10, p95_ms=20, tokens=30)


def facts_of(measured: Measured, **declared: Any) -> dict[str, Any]:
    facts = gather_facts(
        UseCase(id="demo", facts=declared),
        read_signals("How long is the warranty?", ()),
        measured,
        Requirements(),
        engine_is_local=True,
    )
    return dict(facts.values)


def test_tools_that_the_caller_offers_are_told() -> None:
    def tools(offered: bool | None) -> Any:
        signals = read_signals("book me a taxi")
        required = Requirements(tools_offered=offered)
        facts = gather_facts(
            UseCase(id="demo"), signals, Measured(), required, engine_is_local=True
        )
        return facts.get("tools_offered")

    assert [tools(offered) for offered in (True, False, None)] == [True, False, None]


def test_without_an_adapter_nothing_is_servable() -> None:
    facts = facts_of(Measured())
    assert facts["adapter_present"] is False
    assert facts["adapter_servable"] is False
    assert facts["knowledge_present"] is False


@pytest.mark.parametrize(("n", "told"), [(MIN_QUESTIONS - 1, False), (MIN_QUESTIONS, True)])
def test_intervals_of_few_questions_are_not_told(n: int, told: bool) -> None:
    facts = facts_of(Measured(scores={Strategy.RAG: score(n)}))
    assert facts["rag_score"] == 0.4
    assert ("rag_score_low" in facts) is told
    assert ("rag_score_high" in facts) is told


@pytest.mark.parametrize(("rag_high", "gains"), [(0.15, False), (0.25, True)])
def test_a_base_that_is_clearly_worse_with_passages_does_not_gain(
    rag_high: float, gains: bool
) -> None:
    scores = {Strategy.PROMPT_ONLY: score(50), Strategy.RAG: score(50, low=0.0, high=rag_high)}
    assert facts_of(Measured(scores=scores))["base_gains_from_context"] is gains


KNOWLEDGE = KnowledgeFacts(
    documents=2,
    chunks=9,
    tokens=1_800,
    changes_per_week=0.5,
    chunk_changes_per_week=1.5,
    window_weeks=4.0,
    age_days=60.0,
    unchanged_days=3.0,
    last_change_at=1.0,
)


def test_the_history_of_the_knowledge_is_told() -> None:
    told = facts_of(Measured(knowledge=KNOWLEDGE), knowledge_changes_per_week=9)
    assert {name: told[name] for name in told if name.startswith("knowledge_")} == {
        "knowledge_present": True,
        "knowledge_changes_per_week": 0.5,
        "knowledge_chunk_changes_per_week": 1.5,
        "knowledge_age_days": 60.0,
        "knowledge_unchanged_days": 3.0,
        "knowledge_tokens": 1_800,
    }


def test_of_knowledge_without_a_passage_only_the_absence_is_told() -> None:
    told = facts_of(Measured(knowledge=replace(KNOWLEDGE, documents=0, chunks=0)))
    assert [name for name in told if name.startswith("knowledge_")] == ["knowledge_present"]
    assert told["knowledge_present"] is False


def test_the_engine_being_local_is_a_measured_fact() -> None:
    assert facts_of(Measured(), privacy="secret")["engine_local"] is True


@pytest.mark.parametrize(
    ("verdict", "override", "told"),
    [
        (None, None, None),
        ("IMPROVED", None, True),
        ("REJECTED", None, False),
        ("REJECTED", {"reason": "a demo", "verdict": "REJECTED", "at": 1.0}, True),
    ],
)
def test_the_gate_is_told_as_its_verdict_or_a_recorded_override(
    verdict: str | None, override: dict[str, Any] | None, told: bool | None
) -> None:
    evaluation = make_evaluation("a@1", verdict).as_dict() if verdict else None
    adapter = replace(ADAPTER, evaluation=evaluation, gate_override=override)
    facts = facts_of(Measured(adapter=adapter, adapter_loaded=True))
    assert facts.get("adapter_gate_passed") is told


ADAPTER = Adapter(
    adapter_id="a@1",
    tenant="default",
    task="a",
    base_model="base",
    base_revision="r1",
    folder=Path("a@1"),
    sha256="0" * 64,
    context_trained=True,
    state=AdapterState.LIVE,
    run={},
    metrics={},
    created_at=1.0,
    published_at=2.0,
)
