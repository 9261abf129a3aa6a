"""What ingest adds to the embedder: `python -m tests.benchmarks.ingest [--data FOLDER] [--json]`.

The rows of rag_en go through the embedder alone and through the whole ingest path in turn, slice
by slice, so that a slow spell of the machine hits both; the share is that of the sums. Then a
document of ten pages is uploaded and searched for at once. Exit code 1 below a floor, 0 where data
or embedder are absent.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from knowledge import ChromaIndex, Knowledge, NewDocument, SentenceTransformerEmbedder, metadata
from service.database import create_tables, open_database
from tests.benchmarks.corpora import DATA, Row, find_embedder, read_rows
from tests.fakes.room import ChromaServer

RATE_FLOOR = 0.90  # of the raw embedder's passages per second
SEARCHABLE_S = 2.0  # from upload to the answer that holds it
PAGE_WORDS = 500
PAGES = 10
UPLOADS = 5
SLICE = 192  # three windows of ingest
BASE = "speed"


class Recording:
    """The real embedder, which also keeps what it was given and how long it took."""

    def __init__(self, embedder: SentenceTransformerEmbedder) -> None:
        self._embedder = embedder
        self.texts: list[str] = []
        self.model_id, self.revision = embedder.model_id, embedder.revision
        self.languages, self.dimension = embedder.languages, embedder.dimension
        self.max_tokens = embedder.max_tokens
        self.count_tokens = embedder.count_tokens
        self.embed_query = embedder.embed_query

    def embed_passages(self, texts: Sequence[str], progress: Any = None) -> Any:
        self.texts += texts
        return self._embedder.embed_passages(texts, progress)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print; 1 below a floor."""
    options = _options(argv)
    rows_at, embedder_at = options.data / "rag_en" / "corpus.jsonl", find_embedder(options.embedder)
    if not rows_at.is_file() or embedder_at is None:
        missing = "no embedder" if rows_at.is_file() else f"{rows_at} is not there"
        sys.stdout.write(json.dumps({"skipped": missing}) + "\n")
        return 0
    rows = read_rows(rows_at)[: options.rows]
    figures = measure(rows, SentenceTransformerEmbedder.load(embedder_at))
    reached = {
        "rate_share": figures["rate_share"] >= RATE_FLOOR,
        "searchable_s": figures["searchable_s"] <= SEARCHABLE_S,
    }
    figures["reached"] = reached
    if options.json:
        sys.stdout.write(json.dumps(figures) + "\n")
    else:
        sys.stdout.write("".join(f"{name:<26}{value}\n" for name, value in figures.items()))
    return 0 if all(reached.values()) else 1


def measure(rows: Sequence[Row], embedder: SentenceTransformerEmbedder) -> dict[str, Any]:
    """Return the figures over a `chroma run` server and a database in a temporary folder."""
    with tempfile.TemporaryDirectory() as name, ChromaServer(Path(name) / "chroma") as server:
        engine = open_database(f"sqlite:///{name}/state.db")
        create_tables(engine, metadata)
        index = ChromaIndex.connect("127.0.0.1", server.port, 5.0)
        recording = Recording(embedder)
        knowledge = Knowledge(engine, index, recording)
        knowledge.create_base("Speed", base_id=BASE)
        try:
            knowledge.ingest(BASE, "warm", "warm.txt", b"warm up")
            rate = _rate(knowledge, recording, embedder, rows)
            return {**rate, **_searchable(knowledge, rows)}
        finally:
            index.close()
            engine.dispose()


def _rate(
    knowledge: Knowledge,
    recording: Recording,
    embedder: SentenceTransformerEmbedder,
    rows: Sequence[Row],
) -> dict[str, Any]:
    raw_s = whole_s = 0.0
    passages = 0
    shares: list[float] = []
    for start in range(0, len(rows), SLICE):
        sources = [_document(row) for row in rows[start : start + SLICE]]
        recording.texts = []
        whole = _timed(partial(knowledge.ingest_many, BASE, sources))
        raw = _timed(partial(embedder.embed_passages, recording.texts))
        passages += len(recording.texts)
        shares.append(raw / whole)
        raw_s, whole_s = raw_s + raw, whole_s + whole
    return {
        "passages": passages,
        "raw_per_s": round(passages / raw_s, 1),
        "ingest_per_s": round(passages / whole_s, 1),
        "rate_share": round(raw_s / whole_s, 3),
        "rate_share_by_slice": [round(share, 3) for share in shares],
    }


def _searchable(knowledge: Knowledge, rows: Sequence[Row]) -> dict[str, Any]:
    """Return how long a document of ten pages takes from upload to being found, worst of some."""
    words = " ".join(row["text"] for row in rows).split()
    times: list[float] = []
    for number in range(UPLOADS):
        start = number * PAGES * PAGE_WORDS
        pages = [
            " ".join(words[at : at + PAGE_WORDS])
            for at in range(start, start + PAGES * PAGE_WORDS, PAGE_WORDS)
        ]
        text = f"upload{number} " + "\n\n".join(pages)
        began = time.perf_counter()
        knowledge.ingest(BASE, f"upload{number}", f"upload{number}.txt", text.encode())
        found = knowledge.retrieve(f"upload{number} {pages[0][:200]}", base_ids=[BASE])
        times.append(time.perf_counter() - began)
        assert f"upload{number}" in [passage.external_id for passage in found.passages]
    return {
        "searchable_s": round(max(times), 3),
        "searchable_median_s": round(statistics.median(times), 3),
    }


def _document(row: Row) -> NewDocument:
    text = f"# {row['title']}\n\n{row['text']}"
    return NewDocument(row["id"], f"{row['id']}.md", text.encode())


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.benchmarks.ingest", description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--embedder", help="folder or Hugging Face id; default: the prepared one")
    parser.add_argument("--rows", type=int, default=960)
    parser.add_argument("--json", action="store_true")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
