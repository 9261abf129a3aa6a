"""Measures retrieval on labelled questions and fits `min_relevance`.

It asks and counts; the metrics themselves are in `knowledge`.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

import numpy as np

from knowledge import (
    MOST_FLAGGED,
    RETRIEVERS,
    Interval,
    Knowledge,
    MinRelevanceFit,
    Retrieval,
    RetrieverName,
    TooFewQuestions,
    cross_fit,
    hit,
    interval,
    ndcg,
    recall,
    reciprocal_rank,
)
from service.api.schemas.shapes import JsonObject
from service.cli.kb.evaluation.corpus import BASE, TENANT
from service.cli.kb.evaluation.files import Question
from service.cli.output import Output, ProgressBar

PASSAGES = 25  # enough chunks for ten distinct rows


class Retriever(StrEnum):
    """What `--retriever` may name."""

    DENSE = "dense"
    LEXICAL = "lexical"
    HYBRID = "hybrid"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one question brought: distinct row ids, best first, and how relevant the best is."""

    found: tuple[str, ...]
    relevance: float
    is_flagged: bool
    retrievers: tuple[RetrieverName, ...]
    took_ms: float


METRICS: Mapping[str, Callable[[Outcome, Question], float]] = {
    "hit_at_1": lambda o, q: hit(o.found, q.gold_ids, cutoff=1),
    "hit_at_5": lambda o, q: hit(o.found, q.gold_ids, cutoff=5),
    "hit_at_10": lambda o, q: hit(o.found, q.gold_ids, cutoff=10),
    "recall_at_5": lambda o, q: recall(o.found, q.gold_ids, cutoff=5),
    "mrr_at_10": lambda o, q: reciprocal_rank(o.found, q.gold_ids, cutoff=10),
    "ndcg_at_10": lambda o, q: ndcg(o.found, q.gold_ids, cutoff=10),
}


@dataclass(frozen=True, slots=True)
class Threshold:
    """The fitted `min_relevance`, or why none could be fitted."""

    fit: MinRelevanceFit | None
    why_not: str = ""

    @property
    def toml(self) -> str | None:
        """The lines for `fingerpost.toml`."""
        if self.fit is None:
            return None
        return (
            f"[knowledge]\nmin_relevance = {math.floor(self.fit.min_relevance * 1000) / 1000:.3f}\n"
        )

    def as_document(self) -> JsonObject:
        """Return what `--json` prints of it."""
        if self.fit is None:
            return {"fitted": None, "why": self.why_not}
        folds = len(self.fit.fold_values)
        return {
            "fitted": self.fit.min_relevance,
            "fold_floors": list(self.fit.fold_values),
            "how": (
                f"highest threshold below which at most {MOST_FLAGGED:.0%} of the answerable "
                f"questions lie, minus one standard error; flagged_* cross-fitted in {folds} folds"
            ),
            "toml": self.toml,
        }


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured; `by_retriever` holds None for one that reads no question's language."""

    retriever: Retriever
    retrievers_used: tuple[RetrieverName, ...]
    queries: int
    unanswerable: int
    ranked: Mapping[str, Interval]
    by_retriever: Mapping[str, Mapping[str, Interval] | None]
    latency_p50_ms: float
    latency_p99_ms: float
    flagged: Mapping[str, Interval | None]
    threshold: Threshold

    def as_document(self) -> JsonObject:
        """Return what `--json` prints: the figures of `retriever` on top, bounds beside them."""
        found = {**self.ranked, **self.flagged}
        return {
            "retriever": str(self.retriever),
            "retrievers_used": list(self.retrievers_used),
            "queries": self.queries,
            **{metric: value.value for metric, value in self.ranked.items()},
            "latency_ms": {"p50": self.latency_p50_ms, "p99": self.latency_p99_ms},
            "unanswerable": self.unanswerable,
            **{name: None if i is None else i.value for name, i in self.flagged.items()},
            "floor": self.threshold.as_document(),
            "intervals": {n: None if i is None else [i.low, i.high] for n, i in found.items()},
            "by_retriever": {
                name: None if row is None else {m: asdict(value) for m, value in row.items()}
                for name, row in self.by_retriever.items()
            },
            "top_k": PASSAGES,
        }


def measure(
    knowledge: Knowledge,
    answerable: Sequence[Question],
    unanswerable: Sequence[Question],
    *,
    only: Retriever | None,
    output: Output,
) -> Figures:
    """Ask every question and return the figures, of all retrievers or of `only`."""
    chosen = only or Retriever.HYBRID
    names = [chosen] if only else [chosen, Retriever.DENSE, Retriever.LEXICAL]
    outcomes: dict[Retriever, list[Outcome]] = {}
    for name in names:
        with output.progress(f"asking, {name}") as bar:
            outcomes[name] = _ask_all(knowledge, answerable, name, bar)
    with output.progress("asking the questions without an answer") as bar:
        others = _ask_all(knowledge, unanswerable, chosen, bar)
    best = outcomes[chosen]
    ranked = {name: _ranked(asked, answerable) for name, asked in outcomes.items()}
    flagged, threshold = _flags(best, others)
    p50, p99 = np.percentile([outcome.took_ms for outcome in best], [50, 99])
    return Figures(
        retriever=chosen,
        retrievers_used=tuple(sorted({part for o in best for part in o.retrievers})),
        queries=len(answerable),
        unanswerable=len(unanswerable),
        ranked=ranked[chosen],
        by_retriever={
            str(name): row if any(o.retrievers for o in outcomes[name]) else None
            for name, row in ranked.items()
        },
        latency_p50_ms=float(p50),
        latency_p99_ms=float(p99),
        flagged=flagged,
        threshold=threshold,
    )


def _ask_all(
    knowledge: Knowledge, questions: Sequence[Question], name: Retriever, bar: ProgressBar
) -> list[Outcome]:
    outcomes: list[Outcome] = []
    for done, question in enumerate(questions, start=1):
        outcomes.append(_ask(knowledge, question, name))
        bar.show(done / len(questions), f"{done} of {len(questions)}")
    return outcomes


def _ask(knowledge: Knowledge, question: Question, name: Retriever) -> Outcome:
    retrievers = RETRIEVERS if name is Retriever.HYBRID else (_RETRIEVER[name],)
    began = time.perf_counter()
    found: Retrieval = knowledge.retrieve(
        question.question,
        base_ids=[BASE],
        tenant=TENANT,
        history=question.history,
        top_k=PASSAGES,
        retrievers=retrievers,
    )
    took_ms = (time.perf_counter() - began) * 1000
    distinct = tuple(dict.fromkeys(passage.external_id for passage in found.passages))
    relevance = found.best_relevance or 0.0
    return Outcome(distinct, relevance, found.relevant_passages == 0, found.retrievers, took_ms)


_RETRIEVER: Mapping[Retriever, RetrieverName] = {
    Retriever.DENSE: "dense",
    Retriever.LEXICAL: "lexical",
}


def _ranked(outcomes: Sequence[Outcome], questions: Sequence[Question]) -> dict[str, Interval]:
    pairs = list(zip(outcomes, questions, strict=True))
    return {name: interval([metric(o, q) for o, q in pairs]) for name, metric in METRICS.items()}


def _flags(
    best: Sequence[Outcome], others: Sequence[Outcome]
) -> tuple[dict[str, Interval | None], Threshold]:
    """Return the shares of questions below the fitted and the default threshold."""
    samples: dict[str, Sequence[float] | None] = {
        "flagged_answerable": None,
        "flagged_unanswerable": None,
        "flagged_answerable_default": [float(o.is_flagged) for o in best],
        "flagged_unanswerable_default": [float(o.is_flagged) for o in others],
    }
    try:
        fit = cross_fit([o.relevance for o in best], [o.relevance for o in others])
        samples["flagged_answerable"] = list(fit.flagged_answerable)
        samples["flagged_unanswerable"] = list(fit.flagged_unanswerable)
        threshold = Threshold(fit)
    except TooFewQuestions as exc:
        threshold = Threshold(None, str(exc))
    return {name: interval(each) if each else None for name, each in samples.items()}, threshold
