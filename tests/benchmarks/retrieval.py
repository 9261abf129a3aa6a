"""Retrieval on labelled public questions: quality per retriever, and latency.

`python -m tests.benchmarks.retrieval [--data FOLDER] [--embedder PATH_OR_ID] [--json]` takes the
rows of each corpus through the real ingest path (one row = one Markdown document), asks every
question and prints hit@5 and recall@5 of the dense, lexical and hybrid retrievers and the
latency of the hybrid one, embedding included. Exit code 1 below a floor, 0 where data is absent.

With `--chunks N…` it measures latency, memory and disk at N chunks instead; exit code 1 where
10,000 chunks (or the size given, if it is below) miss p50 18 ms or p99 45 ms (MiniLM: 15 and 40).

hit@5: at least one of a question's `gold_ids` is among the first five distinct rows.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from knowledge import (
    Chunking,
    Knowledge,
    KnowledgeConfig,
    Retrieval,
    hit,
    recall,
)
from tests.benchmarks import scale
from tests.benchmarks.corpora import (
    DATA,
    Row,
    asker,
    find_embedder,
    load_embedder,
    note,
    opened,
    read_rows,
    take_in,
)
from tests.fakes.tenant import TENANT

FLOORS = {"rag_en": 0.975, "rag_zh": 0.99, "rag_en_multihop": 0.95, "support_en": 0.77}
"""Least hit@5, hybrid, of the plain `queries.jsonl`; what was measured: `RESULTS.md`."""
BUDGET_CHUNKS = 11_000  # 10,000 rows: a long row makes two
BUDGETS_MS = {"all-minilm-l6-v2": (15.0, 40.0)}
BUDGET_MS = (18.0, 45.0)
"""Most time of a retrieval at 10,000 chunks, p50 and p99, embedding included: of the small
embedder, and of any other."""
EXTRA_SETS = {
    "rag_en": ("queries_hard.jsonl", "queries_zh.jsonl"),
    "rag_zh": ("queries_hard.jsonl",),
}


@dataclass
class Score:
    """Figures of one question set."""

    corpus: str
    queries: str
    count: int
    chunks: int
    hit_at_5: dict[str, float] = field(default_factory=dict)
    recall_at_5: dict[str, float] = field(default_factory=dict)
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    ingest_per_s: float = 0.0

    @property
    def floor(self) -> float | None:
        """The least hybrid hit@5 that passes, for plain question sets."""
        return FLOORS.get(self.corpus) if self.queries == "queries.jsonl" else None


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark and print a table, or JSON."""
    options = _options(argv)
    wanted = [name for name in options.corpora if (options.data / name).is_dir()]
    if not wanted:
        return _skip(f"none of {', '.join(options.corpora)} is in {options.data}", options)
    embedder_at = find_embedder(options.embedder)
    if embedder_at is None:
        return _skip("no embedder; give --embedder, or run deploy/quickstart.sh first", options)
    if options.chunks:
        return _grown(options, embedder_at)
    embedder = load_embedder(embedder_at, options.languages)
    config = KnowledgeConfig()
    if options.chunk_tokens:
        size = Chunking(chunk_tokens=options.chunk_tokens)
        config = config.model_copy(update={"chunking": size})
    scores: list[Score] = []
    with opened(embedder, config, options.chroma) as knowledge:
        for name in wanted:
            corpus = read_rows(options.data / name / "corpus.jsonl")
            started = time.perf_counter()
            take_in(knowledge, name, corpus)
            rate = len(corpus) / (time.perf_counter() - started)
            for file in ("queries.jsonl", *EXTRA_SETS.get(name, ())):
                rows = read_rows(options.data / name / file)[: options.limit]
                score = _measure(knowledge, name, file, rows)
                score.ingest_per_s = rate
                scores.append(score)
                note(f"{name}/{file}: {score.hit_at_5}")
    report = _json if options.json else _table
    sys.stdout.write(report(scores))
    return 1 if any(s.floor and s.hit_at_5["hybrid"] < s.floor for s in scores) else 0


def _grown(options: argparse.Namespace, embedder_at: str) -> int:
    rows = scale.measure(options.chunks, options.data, embedder_at)
    if options.json:
        sys.stdout.write(json.dumps({"sizes": rows}) + "\n")
    else:
        sys.stdout.write(" ".join(f"{name:>17}" for name in rows[0]) + "\n")
        for row in rows:
            sys.stdout.write(" ".join(f"{value:>17.1f}" for value in row.values()) + "\n")
    judged = [row for row in rows if row["chunks"] <= BUDGET_CHUNKS]
    p50, p99 = BUDGETS_MS.get(Path(embedder_at).name, BUDGET_MS)
    slow = [row for row in judged if row["p50_ms"] > p50 or row["p99_ms"] > p99]
    return 1 if slow else 0


def _skip(reason: str, options: argparse.Namespace) -> int:
    sys.stdout.write(json.dumps({"skipped": reason}) if options.json else f"skipped: {reason}")
    sys.stdout.write("\n")
    return 0


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.benchmarks.retrieval", description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--embedder", help="folder or Hugging Face id; default: the prepared one")
    parser.add_argument("--languages", nargs="+", help="what it reads; default: its model.json's")
    parser.add_argument("--corpora", nargs="+", default=list(FLOORS))
    parser.add_argument("--limit", type=int, default=None, help="questions per set")
    parser.add_argument("--chroma", help="host:port of a running server; default: in process")
    parser.add_argument("--chunk-tokens", type=int, default=None)
    parser.add_argument("--chunks", type=int, nargs="+", help="measure growth at these sizes")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args(argv)


def _measure(knowledge: Knowledge, name: str, file: str, rows: Sequence[Row]) -> Score:
    score = Score(name, file, len(rows), knowledge.get_base(name, tenant=TENANT).chunks)
    times: list[float] = []
    ask = asker(knowledge, name)
    answers: list[Retrieval] = []
    for row in rows:
        started = time.perf_counter()
        answers.append(ask(row))
        times.append((time.perf_counter() - started) * 1000)
    score.p50_ms, score.p99_ms = (float(value) for value in np.percentile(times, [50, 99]))
    _judge(score, "hybrid", rows, answers)
    if "dense" in answers[0].retrievers:
        _judge(score, "dense", rows, map(asker(knowledge, name, "dense"), rows))
    _judge(score, "lexical", rows, map(asker(knowledge, name, "lexical"), rows))
    return score


def _judge(score: Score, retriever: str, rows: Sequence[Row], answers: Iterable[Retrieval]) -> None:
    hits: list[float] = []
    recalls: list[float] = []
    for row, answer in zip(rows, answers, strict=True):
        gold = set(row["gold_ids"])
        distinct = list(dict.fromkeys(passage.external_id for passage in answer.passages))
        hits.append(hit(distinct, gold, cutoff=5))
        recalls.append(recall(distinct, gold, cutoff=5))
    score.hit_at_5[retriever] = float(np.mean(hits))
    score.recall_at_5[retriever] = float(np.mean(recalls))


def _table(scores: Sequence[Score]) -> str:
    lines = [
        f"{'questions':<36}{'n':>5}{'chunks':>7}  {'hit@5 hybrid/dense/lexical':<27}"
        f"{'recall@5':>9}{'p50 ms':>8}{'p99 ms':>8}{'docs/s':>8}"
    ]
    for score in scores:
        hits = "/".join(_figure(score.hit_at_5.get(r)) for r in ("hybrid", "dense", "lexical"))
        below = " <" if score.floor and score.hit_at_5["hybrid"] < score.floor else "  "
        lines.append(
            f"{score.corpus + '/' + score.queries:<36}{score.count:>5}{score.chunks:>7}  "
            f"{hits + below:<27}{score.recall_at_5['hybrid']:>9.3f}{score.p50_ms:>8.1f}"
            f"{score.p99_ms:>8.1f}{score.ingest_per_s:>8.1f}"
        )
    return "\n".join(lines) + "\n"


def _json(scores: Sequence[Score]) -> str:
    return (
        json.dumps({"sets": [{**asdict(score), "floor": score.floor} for score in scores]}) + "\n"
    )


def _figure(value: float | None) -> str:
    return "  -  " if value is None else f"{value:.3f}"


if __name__ == "__main__":
    sys.exit(main())
