"""Gathers the facts for the router: declared, measured and of the request.

It knows where each fact comes from; it does not know what the router concludes from it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from adapters import Adapter, AdapterNotFound, AdapterRegistry
from knowledge import CollectionNotFound, Knowledge, KnowledgeFacts
from router import Facts, FactValue, Signals, Strategy
from service.stores.comparisons import Comparisons, StrategyScore
from service.stores.data_checks import DataCheckRecord, DataChecks
from service.stores.json_value import JsonObject
from service.stores.use_cases import UseCase

# A bootstrap interval over fewer questions is too narrow: over one it has no width at all.
MIN_QUESTIONS = 10


FactValues = dict[str, FactValue | None]  # None: unknown


@dataclass(frozen=True, slots=True)
class Requirements:
    """What the caller requires of this answer."""

    citations: bool | None = None
    max_latency_ms: float | None = None
    knowledge_bases_named: int | None = None
    tools_offered: bool | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """What Fingerpost itself measured for one use case."""

    bases: tuple[str, ...] = ()
    unknown_bases: tuple[str, ...] = ()
    knowledge: KnowledgeFacts | None = None
    adapter: Adapter | None = None
    adapter_name: str | None = None
    adapter_loaded: bool = False
    scores: Mapping[Strategy, StrategyScore] = field(default_factory=dict)
    data: DataCheckRecord | None = None

    @property
    def adapter_id(self) -> str | None:
        """Immutable id of the live adapter, or None where there is none."""
        return None if self.adapter is None else self.adapter.adapter_id

    def require_bases(self, named: Sequence[str]) -> None:
        """Raise an error for a knowledge base that the caller named and that does not exist.

        Raises:
            CollectionNotFound: Names the first of them.
        """
        for base_id in self.unknown_bases:
            if base_id in named:
                raise CollectionNotFound(
                    f"There is no knowledge base {base_id!r}; POST /v1/vector_stores creates one."
                )

    def missing_for(self, strategy: Strategy) -> list[str]:
        """Return what `strategy` needs and the use case lacks, as texts for the caller."""
        missing = []
        if strategy in (Strategy.RAG, Strategy.HYBRID):
            if not self.bases:
                missing.append("a knowledge base in the use case")
            elif self.knowledge is None or self.knowledge.chunks == 0:
                missing.append(f"documents in {', '.join(self.bases)}")
            missing += [f"the knowledge base {base_id!r}" for base_id in self.unknown_bases]
        if strategy in (Strategy.FINE_TUNED, Strategy.HYBRID) and self.adapter is None:
            missing.append(
                f"a published adapter for {self.adapter_name!r}"
                if self.adapter_name
                else "an adapter in the use case"
            )
        return missing


@dataclass(frozen=True, slots=True)
class Measurements:
    """Reads the measured facts from the rooms; blocking, to be run in a thread."""

    knowledge: Knowledge
    registry: AdapterRegistry
    comparisons: Comparisons
    data_checks: DataChecks

    def of(self, use_case: UseCase, *, tenant: str) -> Measured:
        """Return what is measured for `use_case`; the caller fills in `adapter_loaded`."""
        known: list[str] = []
        unknown: list[str] = []
        for name in use_case.knowledge_bases:
            try:
                known.append(self.knowledge.get_base(name, tenant=tenant).base_id)
            except CollectionNotFound:
                unknown.append(name)
        return Measured(
            bases=tuple(known),
            unknown_bases=tuple(unknown),
            knowledge=self.knowledge.measure(known, tenant=tenant) if known else None,
            adapter=self._live_adapter(use_case.adapter, tenant),
            adapter_name=use_case.adapter,
            scores=self.comparisons.last_scores(use_case.id, tenant=tenant),
            data=self.data_checks.last(use_case.id, tenant=tenant),
        )

    def _live_adapter(self, name: str | None, tenant: str) -> Adapter | None:
        if name is None:
            return None
        try:
            return self.registry.resolve(name, tenant=tenant)
        except AdapterNotFound:
            return None


def gather_facts(
    use_case: UseCase,
    signals: Signals,
    measured: Measured,
    requirements: Requirements,
    *,
    engine_is_local: bool | None,
) -> Facts:
    """Return every known fact about this request; unknown ones are left out."""
    return Facts.build(
        declared=_declared(use_case),
        measured=_measured(measured, engine_is_local),
        request={
            **signals.as_facts(),
            "citations_requested": requirements.citations,
            "max_latency_ms": requirements.max_latency_ms,
            "knowledge_bases_named": requirements.knowledge_bases_named,
            "tools_offered": requirements.tools_offered,
        },
    )


def gather_standing_facts(
    use_case: UseCase,
    measured: Measured,
    *,
    engine_is_local: bool | None,
    also: Mapping[str, FactValue | None],
) -> Facts:
    """Return the facts that hold for every request; `also` are further measured ones."""
    return Facts.build(
        declared=_declared(use_case), measured={**_measured(measured, engine_is_local), **also}
    )


def _declared(use_case: UseCase) -> JsonObject:
    return {name: value for name, value in use_case.facts.items() if value is not None}


def _measured(measured: Measured, engine_is_local: bool | None) -> FactValues:
    return {
        "engine_local": engine_is_local,
        **_knowledge(measured),
        **({} if measured.data is None else measured.data.as_facts()),
        **_adapter(measured),
        **_scores(measured),
    }


def _knowledge(measured: Measured) -> FactValues:
    facts = measured.knowledge
    if facts is None or facts.chunks == 0:
        return {"knowledge_present": False}
    return {
        "knowledge_present": True,
        "knowledge_changes_per_week": facts.changes_per_week,
        "knowledge_chunk_changes_per_week": facts.chunk_changes_per_week,
        "knowledge_age_days": facts.age_days,
        "knowledge_unchanged_days": facts.unchanged_days,
        "knowledge_tokens": facts.tokens,
    }


def _adapter(measured: Measured) -> FactValues:
    adapter = measured.adapter
    if adapter is None:
        return {"adapter_present": False, "adapter_servable": False}
    changed_at = measured.knowledge.last_change_at if measured.knowledge else None
    return {
        "adapter_present": True,
        "adapter_servable": measured.adapter_loaded,
        "adapter_gate_passed": adapter.gate_passed,
        "adapter_context_trained": adapter.context_trained,
        **_context_rows(adapter),
        "adapter_older_than_knowledge": (
            None if changed_at is None else adapter.created_at < changed_at
        ),
    }


def _context_rows(adapter: Adapter) -> dict[str, int]:
    """Return how many rows with passages the adapter was trained on, if its run says so."""
    counts = adapter.run.get("data", {}).get("context", {})
    rows = counts.get("with_context") if isinstance(counts, dict) else None
    return {} if rows is None else {"context_bearing_examples": rows}


def _scores(measured: Measured) -> FactValues:
    facts: FactValues = {}
    for strategy, score in measured.scores.items():
        facts[f"{strategy}_score"] = score.score
        if score.n >= MIN_QUESTIONS:
            facts[f"{strategy}_score_low"] = score.low
            facts[f"{strategy}_score_high"] = score.high
        facts[f"{strategy}_p50_ms"] = score.p50_ms
        facts[f"{strategy}_p95_ms"] = score.p95_ms
        facts[f"{strategy}_tokens"] = score.tokens
    plain, grounded = (measured.scores.get(s) for s in (Strategy.PROMPT_ONLY, Strategy.RAG))
    if plain is not None and grounded is not None and plain.n >= MIN_QUESTIONS:
        # False only where retrieval is significantly worse: chance must not turn retrieval off.
        facts["base_gains_from_context"] = grounded.high >= plain.low
    return facts
