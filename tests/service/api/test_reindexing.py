"""Another embedder over HTTP and by the command line, while a gateway and its worker serve."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner

from knowledge import EmbedderUnavailable, KnowledgeConfig, SentenceTransformerEmbedder
from service.cli import app
from service.context import open_context
from service.home import Ports
from service.settings import Settings
from tests.fakes.context import open_small_context
from tests.fakes.embedder import FakeEmbedder
from tests.fakes.tenant import TENANT
from tests.service.conftest import RETURNS, Running

STORE = "/v1/vector_stores/handbook"
Run = Callable[..., Any]


@pytest.fixture
def config() -> KnowledgeConfig:
    return KnowledgeConfig(next_embedder="newer")


@pytest.fixture
def settings(settings: Settings, config: KnowledgeConfig) -> Settings:
    """A home with one knowledge base of the old embedder, and then another configuration."""
    context = open_small_context(settings, Ports(1, 1, 1))
    context.knowledge.create_base("handbook", base_id="handbook", tenant=TENANT)
    context.knowledge.ingest(
        "handbook", "returns.md", "returns.md", RETURNS.encode(), tenant=TENANT
    )
    context.knowledge._resources.index.close()  # one process, one opened folder at a time
    context.database.dispose()
    return settings.model_copy(update={"knowledge": config})


@pytest.fixture
def run(running: Running) -> Run:
    """Return how to run `fingerpost kb WORDS --json`."""

    def call(*words: str) -> Any:
        line = ["kb", *words, "--json", "--url", str(running.client.base_url)]
        done = CliRunner().invoke(app, line)
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    return call


def test_a_base_is_searched_and_written_while_it_is_reindexed(running: Running, run: Run) -> None:
    newer = running.context.knowledge._resources.target
    assert isinstance(newer, FakeEmbedder)
    during: list[tuple[str, bool, int, str]] = []

    def use_it() -> None:
        newer.before_embedding = lambda: None
        made_by = running.client.get(f"{STORE}/check").json()["embedding_model"]
        found = running.client.post(f"{STORE}/search", json={"query": "returned lamp"}).json()
        put = running.put_document("A kettle boils in four minutes.", "kettle.md")
        during.append((made_by, found["degraded"], put.status_code, found["data"][0]["filename"]))

    newer.before_embedding = use_it
    done = run("reindex", "handbook")
    assert during == [("fake-words", False, 200, "returns.md")]
    assert (done["missing_added"], done["available"]) == (2, True)
    after = run("check", "handbook")
    assert (after["in_step"], after["embedding_model"], after["dimension"]) == (True, "newer", 32)
    assert (after["documents"], after["wants_reindex"]) == (2, False)
    found = running.client.post(f"{STORE}/search", json={"query": "When does it boil?"}).json()
    assert found["data"][0]["external_id"] == "kettle.md"
    assert found["retrievers"] == ["dense", "lexical"]


def test_check_tells_that_a_base_waits_for_the_next_embedder(running: Running, run: Run) -> None:
    before = run("check", "handbook")
    assert (before["in_step"], before["wants_reindex"]) == (True, True)
    line = ["kb", "check", "handbook", "--url", str(running.client.base_url)]
    assert "`kb reindex` moves it to the next embedder" in CliRunner().invoke(app, line).stdout


@pytest.mark.parametrize("config", [KnowledgeConfig(embedder="newer")])
def test_a_base_of_no_embedder_at_hand_is_refused_with_the_command(
    running: Running, run: Run
) -> None:
    refused = running.client.post(f"{STORE}/search", json={"query": "returned lamp"})
    error = refused.json()["error"]
    assert (refused.status_code, error["code"]) == (409, "embedding_dimension_mismatch")
    assert "run `fingerpost kb reindex handbook`" in error["message"]
    run("reindex", "handbook")
    found = running.client.post(f"{STORE}/search", json={"query": "returned lamp"})
    assert (found.status_code, found.json()["degraded"]) == (200, False)


def test_both_embedders_are_loaded_at_start(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[tuple[str, tuple[str, ...]]] = []

    def load(name: str, *, languages: tuple[str, ...], **_: object) -> FakeEmbedder:
        loaded.append((name, languages))
        if name == "missing":
            raise EmbedderUnavailable("cannot load the embedder missing")
        return FakeEmbedder(model_id=name, dimension=32)

    monkeypatch.setattr(SentenceTransformerEmbedder, "load", load)
    config = KnowledgeConfig(embedder="old", next_embedder="newer", next_embedder_languages=("*",))
    context = open_context(settings.model_copy(update={"knowledge": config}), Ports(1, 1, 1))
    assert loaded == [("old", ("en",)), ("newer", ("*",))]
    assert context.knowledge.check("handbook", tenant=TENANT).embedding_model == "fake-words"
    context.database.dispose()
    config = config.model_copy(update={"next_embedder": "missing"})
    with pytest.raises(EmbedderUnavailable, match=r"knowledge\.next_embedder: cannot load"):
        open_context(settings.model_copy(update={"knowledge": config}), Ports(1, 1, 1))
