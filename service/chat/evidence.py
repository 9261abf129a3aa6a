"""What is found for a question, and whether that is enough for the chosen strategy."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from anyio import to_thread

from knowledge import Passage, Retrieval, Turn
from router import Evidence, Settlement, Strategy, settle
from service.chat.query_rewriting import Rewriting, rewrite
from service.chat.question import Question
from service.chat.route import Route
from service.chat.timer import StageTimer
from service.context import AppContext


@dataclass(frozen=True, slots=True)
class Retrieved:
    """What a search brought; both None where the strategy searches nothing."""

    retrieval: Retrieval | None
    rewriting: Rewriting | None

    @property
    def passages(self) -> Sequence[Passage]:
        """The passages, best first."""
        return () if self.retrieval is None else self.retrieval.passages


async def retrieve(
    question: Question, route: Route, context: AppContext, timer: StageTimer
) -> Retrieved:
    """Search for the question, rewritten where the use case wants that.

    A request that is declined is not searched for.
    """
    if route.decision.declines:
        return Retrieved(None, None)
    rewriting = await rewrite(
        question.turns,
        route.signals,
        context,
        tenant=question.tenant,
        wanted=route.wants_rewrite,
    )
    if rewriting is not None:
        timer.mark("rewrite")
    retrieval = None
    if route.decision.strategy.retrieves:
        retrieval = await to_thread.run_sync(_search(question, route, rewriting, context))
    timer.mark("retrieve")
    return Retrieved(retrieval, rewriting)


def _search(
    question: Question, route: Route, rewriting: Rewriting | None, context: AppContext
) -> "partial[Retrieval]":
    query, history = question.text, [Turn(turn.role, turn.content) for turn in question.turns[:-1]]
    if rewriting is not None and rewriting.question is not None:
        query, history = rewriting.question, []
    return partial(
        context.knowledge.retrieve,
        query,
        base_ids=route.measured.bases,
        tenant=question.tenant,
        history=history,
        top_k=question.top_k or route.use_case.top_k,
        max_tokens=route.use_case.context_tokens,
        filters=question.filters,
        access=question.access_labels,
    )


def settle_evidence(route: Route, retrieved: Retrieved) -> Settlement | None:
    """Return what the evidence allows, or None where nothing was to be retrieved."""
    found = retrieved.retrieval
    if found is None and not route.decision.declines:
        return None
    evidence = Evidence(passages=0)
    if found is not None:
        evidence = Evidence(found.relevant_passages, found.best_relevance, found.degraded)
    allow = route.use_case.allow_prompt_only_when_nothing_found
    return settle(route.decision, evidence, route.policy, allow_prompt_only=allow)


def strategy_after(route: Route, settlement: Settlement | None) -> Strategy:
    """Return the strategy that answers once the evidence is in."""
    falls_back = settlement is not None and settlement.outcome == "prompt_only"
    return Strategy.PROMPT_ONLY if falls_back else route.decision.strategy


def passages_to_show(passages: Sequence[Passage]) -> Sequence[Passage]:
    """Return the passages down to the last that is relevant; all where none is.

    `min_relevance` says whether the collection is about the question, the rank which passage is
    best: one that ranks before a relevant passage is not held back.
    """
    relevant = [place for place, passage in enumerate(passages, start=1) if passage.is_relevant]
    return passages[: relevant[-1]] if relevant else passages
