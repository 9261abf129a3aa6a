"""What is configured is built and joined."""

from pathlib import Path

import pytest

from knowledge import ChromaIndex, CrossEncoderReranker, SentenceTransformerEmbedder
from service.context import open_context
from service.home import Ports
from service.settings import Settings
from service.stores.migrations import upgrade
from tests.fakes.embedder import FakeEmbedder
from tests.fakes.reranker import ByLength
from tests.fakes.tenant import TENANT


def test_a_configured_reranker_orders_the_passages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, str | None]] = []

    def load(name: str, *, revision: str | None) -> ByLength:
        asked.append((name, revision))
        return ByLength()

    index = ChromaIndex.open(tmp_path / "chroma")
    monkeypatch.setattr(SentenceTransformerEmbedder, "configured", lambda *_: FakeEmbedder())
    monkeypatch.setattr(CrossEncoderReranker, "load", load)
    monkeypatch.setattr(ChromaIndex, "connect", lambda *_, **__: index)
    config = Settings(home=tmp_path).knowledge
    config = config.model_copy(update={"reranker": "some/reranker", "reranker_revision": "r1"})
    context = open_context(Settings(home=tmp_path, knowledge=config), Ports(1, 1, 1))
    upgrade(context.database)
    context.knowledge.create_base("Lamps", base_id="lamps", tenant=TENANT)
    for count in range(1, 5):
        context.knowledge.ingest(
            "lamps", f"d{count}", "d.txt", b"Lamps are lit. " * count, tenant=TENANT
        )
    found = context.knowledge.retrieve("Are lamps lit?", base_ids=["lamps"], top_k=5, tenant=TENANT)
    assert [passage.external_id for passage in found.passages] == ["d4", "d3", "d2", "d1"]
    assert asked == [("some/reranker", "r1")]
    index.close()
    context.database.dispose()
