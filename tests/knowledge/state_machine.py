"""The room against a plain model: a dictionary of documents says what must be found.

`Steps` holds the operations and the comparison, on real SQLite and a Chroma folder in this
process; Hypothesis drives it in the test, a seeded random walk in the benchmark.
"""

import random
from collections.abc import Mapping
from pathlib import Path

from knowledge import ChromaIndex, DocumentNotFound, Knowledge, KnowledgeConfig, metadata
from service.stores.database import create_tables, open_database
from tests.fakes.embedder import FakeEmbedder
from tests.fakes.tenant import TENANT

NAMES = tuple(f"d{number}" for number in range(12))
WORDS = ("lamp", "shade", "desk", "chair", "table", "shelf", "bulb", "cable")
BASE = "handbook"
CHECKED_EVERY = 25  # steps of the walk between comparisons of everything
RESTART_SHARE = 0.01
KINDS = ("put", "same", "delete", "search", "catch_up", "reindex")
WEIGHTS = (4, 1, 2, 3, 0.5, 0.1)


class Steps:
    """One room, one model, and the operations on both."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.model: dict[str, str] = {}
        self._embedders = [FakeEmbedder(), FakeEmbedder(model_id="other", dimension=48)]
        self._written = 0
        self._open()
        self.room.create_base("Handbook", base_id=BASE, tenant=TENANT)

    def _open(self) -> None:
        self.engine = open_database(f"sqlite:///{self._folder}/state.db")
        create_tables(self.engine, metadata)
        self.index = ChromaIndex.open(self._folder / "chroma")
        self._enter()

    def _enter(self) -> None:
        config = KnowledgeConfig(churn_floor=20, orphan_grace_s=0)
        now, then = self._embedders
        self.room = Knowledge(self.engine, self.index, now, config, next_embedder=then)

    def put(self, name: str, word: str) -> None:
        """Add or replace a document; its text is like no other."""
        self._written += 1
        text = f"{word} {name} edition{self._written}"
        self.room.ingest(BASE, name, f"{name}.txt", text.encode(), tenant=TENANT)
        self.model[name] = text

    def put_same(self, name: str) -> None:
        """Send what is there once more: nothing may change."""
        if name in self.model:
            report = self.room.ingest(
                BASE, name, f"{name}.txt", self.model[name].encode(), tenant=TENANT
            )
            assert report.unchanged

    def delete(self, name: str) -> None:
        """Delete a document, there or not."""
        try:
            self.room.delete_document(BASE, name, tenant=TENANT)
        except DocumentNotFound:
            assert name not in self.model
        else:
            del self.model[name]

    def restart(self) -> None:
        """Close everything and open it again."""
        self.close()
        self._open()
        self.room.reconcile_all()

    def catch_up(self) -> None:
        """What the worker does every few seconds."""
        assert self.room.catch_up().available

    def reindex(self) -> None:
        """Embed everything again by the other model; the next time it goes back."""
        assert self.room.reindex(BASE, tenant=TENANT).available
        self._embedders.reverse()
        self._enter()

    def search(self, word: str) -> None:
        """Both retrievers bring what the model holds with this word first, and nothing else."""
        wanted = {name: text for name, text in self.model.items() if text.startswith(word)}
        for retriever in ("dense", "lexical"):
            found = self.room.retrieve(
                word, base_ids=[BASE], top_k=len(NAMES), retrievers=[retriever], tenant=TENANT
            )
            told = {passage.external_id: passage.text for passage in found.passages}
            assert not found.degraded
            assert told.items() <= self.model.items(), "text that is no longer there"
            assert wanted.items() <= told.items(), f"{retriever} does not find {wanted.keys()}"

    def compare(self) -> None:
        """Rows, words and vectors hold what the model holds, once each."""
        listed = self.room.list_documents(BASE, tenant=TENANT)
        assert [document.external_id for document in listed] == sorted(
            self.model, key=[document.external_id for document in listed].index
        )
        for name, text in self.model.items():
            assert self.room.document_text(BASE, name, tenant=TENANT).text == text
        held = [chunk for part in self.index.collections() for chunk in self.index.ids(part)]
        assert len(held) == len(self.model), "orphans or missing vectors"
        for name, text in self.model.items():
            found = self.room.retrieve(
                text, base_ids=[BASE], top_k=1, retrievers=["dense"], tenant=TENANT
            )
            assert found.passages[0].external_id == name

    def close(self) -> None:
        """Free files and threads."""
        self.index.close()
        self.engine.dispose()


def walk(folder: Path, operations: int, seed: int) -> list[str]:
    """Return where the room and the model differ after a walk; it ends at the first difference."""
    rng, steps = random.Random(seed), Steps(folder)
    try:
        for number in range(operations):
            try:
                _step(steps, rng, number)
            except AssertionError as exc:
                return [f"operation {number} of seed {seed}: {exc}"]
    finally:
        steps.close()
    return []


def _step(steps: Steps, rng: random.Random, number: int) -> None:
    name, word = rng.choice(NAMES), rng.choice(WORDS)
    if rng.random() < RESTART_SHARE:
        steps.restart()
    kind = rng.choices(KINDS, WEIGHTS)[0]
    actions: Mapping[str, object] = {
        "put": lambda: steps.put(name, word),
        "same": lambda: steps.put_same(name),
        "delete": lambda: steps.delete(name),
        "search": lambda: steps.search(word),
        "catch_up": steps.catch_up,
        "reindex": steps.reindex,
    }
    action = actions[kind]
    assert callable(action)
    action()
    if number % CHECKED_EVERY == 0:
        steps.compare()
