"""Retrieval as a knowledge base grows: latency, memory and disk at N chunks.

The English rows of the corpora are cut to one chunk each and repeated under numbered titles until
there are N. A copy's vector is its row's, with a little noise instead of a second embedding: the
index sees N different vectors. Chroma runs as it does in service, as a server of its own.
"""

import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

import numpy as np
import numpy.typing as npt

from knowledge import (
    ChromaIndex,
    Knowledge,
    KnowledgeConfig,
    NewDocument,
    SentenceTransformerEmbedder,
    Turn,
    metadata,
)
from service.stores.database import create_tables, open_database
from tests.benchmarks.corpora import Row, load_embedder, read_rows
from tests.fakes.room import ChromaServer
from tests.fakes.tenant import TENANT

Vectors = npt.NDArray[np.float32]
CORPORA = ("rag_en", "rag_en_multihop", "support_en")
QUESTIONS = 300
PASSAGES = 5
NOISE = 0.02  # of each vector's length; copies then differ by a cosine of about 0.9998
ROW_CHARS = 700  # some 175 tokens: one chunk
FOLLOW_UPS = "support_en"
Figures = dict[str, float]


class Repeating:
    """The real embedder, but a text it has seen under another number is not embedded again."""

    def __init__(self, embedder: SentenceTransformerEmbedder) -> None:
        self._embedder = embedder
        self._known: dict[str, Vectors] = {}
        self._random = np.random.default_rng(7)
        self.model_id, self.revision = embedder.model_id, embedder.revision
        self.languages, self.dimension = embedder.languages, embedder.dimension
        self.max_tokens, self.similarity = embedder.max_tokens, embedder.similarity
        self.count_tokens = embedder.count_tokens
        self.embed_query = embedder.embed_query

    def embed_passages(self, texts: Sequence[str], progress: object = None) -> Vectors:
        bodies = [text.split("\n", 1)[-1] for text in texts]
        new = [body for body in dict.fromkeys(bodies) if body not in self._known]
        self._known.update(zip(new, self._embedder.embed_passages(new), strict=True))
        vectors = np.stack([self._known[body] for body in bodies])
        noise = self._random.normal(0, NOISE / np.sqrt(self.dimension), vectors.shape)
        noisy = vectors + noise.astype(np.float32)
        return np.asarray(noisy / np.linalg.norm(noisy, axis=1, keepdims=True), np.float32)


def measure(sizes: Sequence[int], data: Path, embedder_at: str) -> list[Figures]:
    """Return one row of figures for each size."""
    embedder = Repeating(load_embedder(embedder_at))
    rows = [row for name in CORPORA for row in read_rows(data / name / "corpus.jsonl")]
    questions = read_rows(data / CORPORA[0] / "queries.jsonl")[:QUESTIONS]
    follow_ups = read_rows(data / FOLLOW_UPS / "queries.jsonl")[:QUESTIONS]
    return [_measure(size, rows, questions, follow_ups, embedder) for size in sorted(sizes)]


def _measure(
    size: int,
    rows: Sequence[Row],
    questions: Sequence[Row],
    follow_ups: Sequence[Row],
    embedder: Repeating,
) -> Figures:
    with tempfile.TemporaryDirectory() as folder, ChromaServer(Path(folder) / "chroma") as server:
        engine = open_database(f"sqlite:///{folder}/state.db")
        create_tables(engine, metadata)
        index = ChromaIndex.connect("127.0.0.1", server.port)
        knowledge = Knowledge(engine, index, embedder, KnowledgeConfig())
        try:
            knowledge.create_base("scale", base_id="scale", tenant=TENANT)
            began = time.perf_counter()
            knowledge.ingest_many("scale", list(_documents(rows, size)), tenant=TENANT)
            filled_s = time.perf_counter() - began
            chunks = knowledge.get_base("scale", tenant=TENANT).chunks
            knowledge.catch_up()
            plain = _latencies(knowledge, questions)
            asked = _latencies(knowledge, follow_ups)
            return {
                "chunks": chunks,
                "p50_ms": plain[0],
                "p99_ms": plain[1],
                "follow_up_p50_ms": asked[0],
                "follow_up_p99_ms": asked[1],
                "chroma_mb": _resident_mb(server.pid),
                "chroma_disk_mb": _disk_mb(Path(folder) / "chroma"),
                "sql_disk_mb": _disk_mb(Path(folder) / "state.db"),
                "filled_s": filled_s,
            }
        finally:
            index.close()
            engine.dispose()


def _documents(rows: Sequence[Row], size: int) -> Iterator[NewDocument]:
    for number in range(size):
        row = rows[number % len(rows)]
        name = f"{row['id']}-{number}"
        text = f"# {row['title']}, no. {number}\n\n{row['text'][:ROW_CHARS]}"
        yield NewDocument(name, f"{name}.md", text.encode())


def _latencies(knowledge: Knowledge, rows: Sequence[Row]) -> tuple[float, float]:
    times: list[float] = []
    for warm, row in zip(count(), [*rows[:20], *rows]):
        turns = [Turn(turn["role"], turn["content"]) for turn in row.get("history", ())]
        began = time.perf_counter()
        knowledge.retrieve(
            row["question"], base_ids=["scale"], history=turns, top_k=PASSAGES, tenant=TENANT
        )
        if warm >= 20:
            times.append((time.perf_counter() - began) * 1000)
    p50, p99 = np.percentile(times, [50, 99])
    return float(p50), float(p99)


def _resident_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def _disk_mb(path: Path) -> float:
    files = path.rglob("*") if path.is_dir() else path.parent.glob(path.name + "*")
    return sum(file.stat().st_size for file in files if file.is_file()) / 2**20
