"""`fingerpost kb eval`: retrieval measured on your own labelled questions, and the floor they need.

It works without a running service: the corpus goes through the real road into a knowledge base in
a temporary folder, with the embedder and the configuration of this home. It knows files and the
table; the figures themselves are in `knowledge`.
"""

import json
import math
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console

from knowledge import (
    MOST_FLAGGED,
    RETRIEVERS,
    ChromaIndex,
    Embedder,
    Interval,
    Knowledge,
    KnowledgeConfig,
    MinRelevanceFit,
    NewDocument,
    Retrieval,
    RetrieverName,
    SentenceTransformerEmbedder,
    TooFewQuestions,
    Turn,
    cross_fit,
    hit,
    interval,
    metadata,
    ndcg,
    recall,
    reciprocal_rank,
)
from service.cli.output import JsonOption, Meter, Report, reporting
from service.errors import InvalidEvaluationFile
from service.settings import Settings, load_settings
from service.stores.database import create_tables, open_database

BASE = "evaluation"
TENANT = "evaluation"  # of the temporary knowledge base, which nobody else sees
PASSAGES = 25  # enough chunks for ten distinct rows


class Retriever(StrEnum):
    """What `--retriever` may name."""

    DENSE = "dense"
    LEXICAL = "lexical"
    HYBRID = "hybrid"


@dataclass(frozen=True, slots=True)
class CorpusRow:
    """One document."""

    row_id: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Question:
    """One question with its earlier turns; `gold_ids` is empty where the corpus has no answer."""

    question: str
    history: tuple[Turn, ...]
    gold_ids: frozenset[str]


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


def evaluate(
    corpus: Annotated[Path, typer.Option("--corpus", help="JSON Lines: id, title, text.")],
    queries: Annotated[Path, typer.Option("--queries", help="JSON Lines: question, gold_ids.")],
    unanswerable: Annotated[
        Path | None, typer.Option("--unanswerable", help="Questions the corpus cannot answer.")
    ] = None,
    retriever: Annotated[
        Retriever | None, typer.Option("--retriever", help="Only this one; default: all three.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Measure retrieval on labelled questions, and fit the floor of "nothing relevant"."""
    with reporting(as_json) as report:
        documents = read_corpus(corpus)
        answerable = read_questions(queries, {row.row_id for row in documents})
        foreign = read_questions(unanswerable, None) if unanswerable else []
        settings = load_settings()
        embedder = load_embedder(settings)
        with filled(documents, embedder, settings.knowledge, report) as (knowledge, ingest_s):
            figures = measure(knowledge, answerable, foreign, retriever, report)
            size = knowledge.get_base(BASE, tenant=TENANT)
        figures |= {
            "documents": size.documents,
            "chunks": size.chunks,
            "ingest_s": ingest_s,
            "embedder": f"{embedder.model_id}@{embedder.revision}",
        }
        report.result(figures, lambda out: _print(out, figures))


def load_embedder(settings: Settings) -> Embedder:
    """Load the embedder of this home."""
    return SentenceTransformerEmbedder.configured(settings.embedder_path, settings.knowledge)


def read_corpus(file: Path) -> list[CorpusRow]:
    """Return the documents of a file.

    Raises:
        InvalidEvaluationFile: It is missing or empty, or a row is not as it must be.
    """
    rows: dict[str, CorpusRow] = {}
    for place, row in read_rows(file):
        row_id = require_text(place, row, "id")
        if row_id in rows:
            raise InvalidEvaluationFile(f"{place}: the id {row_id!r} stands twice")
        title = row.get("title") or ""
        rows[row_id] = CorpusRow(row_id, str(title), require_text(place, row, "text"))
    return list(rows.values())


def read_questions(file: Path, known_ids: set[str] | None) -> list[Question]:
    """Return the questions of a file.

    Args:
        file: JSON Lines.
        known_ids: Ids of the corpus, among which every gold id must be; None: the questions
            belong to another corpus and their gold ids count for nothing.

    Raises:
        InvalidEvaluationFile: It is missing or empty, or a row is not as it must be.
    """
    questions: list[Question] = []
    for place, row in read_rows(file):
        gold = frozenset() if known_ids is None else _gold(place, row, known_ids)
        questions.append(Question(require_text(place, row, "question"), _history(place, row), gold))
    return questions


def measure(
    knowledge: Knowledge,
    answerable: Sequence[Question],
    foreign: Sequence[Question],
    only: Retriever | None,
    report: Report,
) -> dict[str, Any]:
    """Ask everything and return the figures; those at the top are of `only`, or of hybrid."""
    chosen = only or Retriever.HYBRID
    names = [chosen] if only else [chosen, Retriever.DENSE, Retriever.LEXICAL]
    outcomes: dict[Retriever, list[Outcome]] = {}
    for name in names:
        with report.meter(f"asking, {name}") as meter:
            outcomes[name] = _ask_all(knowledge, answerable, name, meter)
    with report.meter("asking what has no answer") as meter:
        others = _ask_all(knowledge, foreign, chosen, meter)
    best = outcomes[chosen]
    ranked = {name: _ranked(asked, answerable) for name, asked in outcomes.items()}
    flags, flag_bounds = _flags(best, others)
    quality = {metric: found.value for metric, found in ranked[chosen].items()}
    bounds = {metric: _ends(found) for metric, found in ranked[chosen].items()}
    return {
        "retriever": str(chosen),
        "retrievers_used": sorted({part for outcome in best for part in outcome.retrievers}),
        "queries": len(answerable),
        **quality,
        "latency_ms": _latency(best),
        "unanswerable": len(foreign),
        **flags,
        "intervals": bounds | flag_bounds,
        "by_retriever": {
            str(name): {metric: asdict(found) for metric, found in figures.items()}
            if any(outcome.retrievers for outcome in outcomes[name])
            else None  # it reads no question's language
            for name, figures in ranked.items()
        },
        "top_k": PASSAGES,
    }


@contextmanager
def filled(
    rows: Sequence[CorpusRow], embedder: Embedder, config: KnowledgeConfig, report: Report
) -> Iterator[tuple[Knowledge, float]]:
    """Yield a knowledge base in a temporary folder with every row in it, and how long it took."""
    with tempfile.TemporaryDirectory(prefix="fingerpost-eval-") as folder:
        database = open_database(f"sqlite:///{folder}/state.db")
        index = ChromaIndex.open(Path(folder) / "chroma")
        try:
            create_tables(database, metadata)
            knowledge = Knowledge(database, index, embedder, config)
            knowledge.create_base(BASE, base_id=BASE, tenant=TENANT)
            began = time.perf_counter()
            with report.meter("taking the corpus in") as meter:
                knowledge.ingest_many(
                    BASE,
                    [_document(row) for row in rows],
                    tenant=TENANT,
                    progress=lambda done, total: meter.show(done / total, f"{done} documents"),
                )
            yield knowledge, time.perf_counter() - began
        finally:
            index.close()
            database.dispose()


def _document(row: CorpusRow) -> NewDocument:
    head = f"# {row.title}\n\n" if row.title else ""
    return NewDocument(row.row_id, f"{row.row_id}.md", f"{head}{row.text}".encode())


def _ask_all(
    knowledge: Knowledge, questions: Sequence[Question], name: Retriever, meter: Meter
) -> list[Outcome]:
    outcomes: list[Outcome] = []
    for done, question in enumerate(questions, start=1):
        outcomes.append(_ask(knowledge, question, name))
        meter.show(done / len(questions), f"{done} of {len(questions)}")
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
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return how many questions count as not answerable, by the fitted and the shipped floor."""
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
        floor: dict[str, Any] = _described(fit)
    except TooFewQuestions as exc:
        floor = {"fitted": None, "why": str(exc)}
    known = {name: interval(sample) if sample else None for name, sample in samples.items()}
    figures: dict[str, Any] = {n: None if i is None else i.value for n, i in known.items()}
    bounds = {name: None if i is None else _ends(i) for name, i in known.items()}
    return figures | {"floor": floor}, bounds


def _described(fit: MinRelevanceFit) -> dict[str, Any]:
    return {
        "fitted": fit.min_relevance,
        "fold_floors": list(fit.fold_values),
        "how": (
            f"highest floor under which at most {MOST_FLAGGED:.0%} of the answerable questions "
            f"lie, less one standard error; flagged_* cross-fitted in {len(fit.fold_values)} folds"
        ),
        "toml": f"[knowledge]\nmin_relevance = {math.floor(fit.min_relevance * 1000) / 1000:.3f}\n",
    }


def _ends(found: Interval) -> list[float]:
    return [found.low, found.high]


def _latency(outcomes: Sequence[Outcome]) -> dict[str, float]:
    p50, p99 = np.percentile([outcome.took_ms for outcome in outcomes], [50, 99])
    return {"p50": float(p50), "p99": float(p99)}


def read_rows(file: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (place, row) of every line that is not blank.

    Raises:
        InvalidEvaluationFile: The file is missing or empty, or a line is no JSON object.
    """
    try:
        lines = file.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as exc:
        raise InvalidEvaluationFile(f"{file} cannot be read: {exc}") from exc
    filled = [(number, line) for number, line in enumerate(lines, start=1) if line.strip()]
    if not filled:
        raise InvalidEvaluationFile(f"{file} holds no rows")
    for number, line in filled:
        place = f"{file}, line {number}"
        try:
            row = json.loads(line)
        except ValueError as exc:
            raise InvalidEvaluationFile(f"{place}: not JSON: {exc}") from exc
        if not isinstance(row, dict):
            raise InvalidEvaluationFile(f"{place}: a JSON object is needed")
        yield place, row


def require_text(place: str, row: Mapping[str, Any], key: str) -> str:
    """Return the text under `key`.

    Raises:
        InvalidEvaluationFile: There is none.
    """
    value = row.get(key)
    if not isinstance(value, str) or not value.strip():
        raise InvalidEvaluationFile(f"{place}: `{key}` is missing or not a text")
    return value


def _gold(place: str, row: Mapping[str, Any], known_ids: set[str]) -> frozenset[str]:
    gold = row.get("gold_ids")
    if not isinstance(gold, list) or not gold or not all(isinstance(name, str) for name in gold):
        raise InvalidEvaluationFile(f"{place}: `gold_ids` must list at least one id of the corpus")
    unknown = sorted(set(gold) - known_ids)
    if unknown:
        raise InvalidEvaluationFile(f"{place}: the corpus has no row {unknown[0]!r}")
    return frozenset(gold)


def _history(place: str, row: Mapping[str, Any]) -> tuple[Turn, ...]:
    try:
        return tuple(Turn(str(t["role"]), str(t["content"])) for t in row.get("history") or ())
    except (TypeError, KeyError) as exc:
        raise InvalidEvaluationFile(f"{place}: a turn of `history` needs role and content") from exc


def _print(out: Console, figures: Mapping[str, Any]) -> None:
    width = max(len(name) for name in METRICS)
    took_part = {name: found for name, found in figures["by_retriever"].items() if found}
    out.print(f"{'':{width}}" + "".join(f"{name:>26}" for name in took_part))
    for metric in METRICS:
        cells = (found[metric] for found in took_part.values())
        shown = "".join(f"{c['value']:>10.3f} [{c['low']:.3f}, {c['high']:.3f}]" for c in cells)
        out.print(f"{metric:{width}}{shown}", markup=False)
    took = figures["latency_ms"]
    out.print(f"{figures['queries']} questions, {figures['chunks']} chunks")
    out.print(f"latency p50 {took['p50']:.1f} ms, p99 {took['p99']:.1f} ms")
    for name, value in figures.items():
        if name.startswith("flagged_"):
            out.print(f"{name}: {'-' if value is None else f'{value:.3f}'}")
    floor = figures["floor"]
    out.print(floor.get("toml") or floor["why"], markup=False)
