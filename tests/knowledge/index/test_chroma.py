"""The index on a real `chroma run` server, and on servers that are refused, silent or wrong."""

import http.server
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from knowledge import ChromaIndex, EmbeddingDimensionMismatch, StoreUnavailable, VectorsMissing
from tests.fakes.room import ChromaServer
from tests.knowledge.conftest import BASE, TENANT, OpenKnowledge

EYE = np.eye(4, dtype=np.float32)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChromaServer]:
    with ChromaServer(tmp_path_factory.mktemp("server") / "chroma") as chroma:
        yield chroma


@pytest.fixture(params=["server", "folder"])
def any_index(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ChromaIndex]:
    if request.param == "folder":
        opened = ChromaIndex.open(tmp_path / "chroma")
    else:
        port = request.getfixturevalue("server").port
        opened = ChromaIndex.connect("127.0.0.1", port, 5.0, breaker_s=0)
    yield opened
    opened.close()


def test_both_roads_to_chroma_behave_alike(any_index: ChromaIndex) -> None:
    any_index.create("kb_one")
    any_index.create("kb_one")
    any_index.upsert("kb_one", ["a", "b", "c"], EYE[:3])
    any_index.upsert("kb_one", ["c"], EYE[3:])
    hits = any_index.start_query(
        "kb_one", (EYE[0] + 0.5 * EYE[1]) / np.float32(1.25**0.5), top_k=2
    )()
    assert [hit.chunk_id for hit in hits] == ["a", "b"]
    assert hits[0].score == pytest.approx(0.894, abs=0.001)
    any_index.delete("kb_one", ["b", "unknown"])
    assert any_index.ids("kb_one") == {"a", "c"}
    assert any_index.count("kb_one") == 2
    assert "kb_one" in any_index.collections()
    with pytest.raises(EmbeddingDimensionMismatch):
        any_index.upsert("kb_one", ["d"], np.ones((1, 3), dtype=np.float32))
    any_index.drop("kb_one")
    any_index.drop("kb_one")
    any_index.delete("kb_one", ["a"])
    for call in (any_index.count, any_index.ids):
        with pytest.raises(VectorsMissing):
            call("kb_one")


def test_a_collection_made_anew_by_another_client_is_found(server: ChromaServer) -> None:
    ours = ChromaIndex.connect("127.0.0.1", server.port, 5.0)
    theirs = ChromaIndex.connect("127.0.0.1", server.port, 5.0)
    ours.create("kb_two")
    theirs.drop("kb_two")
    theirs.create("kb_two")
    ours.upsert("kb_two", ["a"], EYE[:1])
    assert theirs.count("kb_two") == 1
    ours.close()
    theirs.close()


def test_more_vectors_than_one_page_are_listed(index: ChromaIndex) -> None:
    index.create("kb_one")
    ids = [f"c{i}" for i in range(1_203)]
    index.upsert("kb_one", ids, np.random.default_rng(0).random((1_203, 4)).astype(np.float32))
    assert index.ids("kb_one") == set(ids)


@pytest.fixture
def dripping_port() -> Iterator[int]:
    """Give a port whose server sends one byte of its answer at a time, for ever."""
    closing = threading.Event()

    class Drip(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-length", "1000")
            self.end_headers()
            while not closing.wait(0.05):
                self.wfile.write(b" ")
                self.wfile.flush()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Drip) as slow:
        thread = threading.Thread(target=slow.serve_forever, args=(0.05,))
        thread.start()
        yield slow.server_address[1]
        closing.set()
        slow.shutdown()
        thread.join()


@pytest.mark.parametrize("fault", ["refused_port", "silent_port", "dripping_port"])
def test_an_absent_hung_or_slow_server_ends_within_the_deadline(
    fault: str, request: pytest.FixtureRequest
) -> None:
    port = request.getfixturevalue(fault)
    away = ChromaIndex.connect("127.0.0.1", port, 0.3, write_timeout_s=0.4, breaker_s=30)
    started = time.monotonic()
    with pytest.raises(StoreUnavailable):
        away.ping()
    assert time.monotonic() - started < 0.8
    started = time.monotonic()
    for _ in range(50):
        with pytest.raises(StoreUnavailable, match="a moment ago"):
            away.start_query("kb_one", EYE[0], top_k=1)()
    assert time.monotonic() - started < 0.3
    away.close()


def test_something_else_at_the_address_is_no_crash(dripping_port: int) -> None:
    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>hello</html>")

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Page) as page:
        threading.Thread(target=page.handle_request).start()
        other = ChromaIndex.connect("127.0.0.1", page.server_address[1], 2.0)
        with pytest.raises(StoreUnavailable, match="not Chroma"):
            other.ping()
        other.close()


@pytest.mark.parametrize("fault", ["refused_port", "silent_port"])
def test_with_chroma_away_answers_are_lexical_within_a_second(
    open_knowledge: OpenKnowledge, fault: str, request: pytest.FixtureRequest
) -> None:
    away = ChromaIndex.connect(
        "127.0.0.1", request.getfixturevalue(fault), 0.5, write_timeout_s=0.5, breaker_s=0.1
    )
    knowledge = open_knowledge(vectors=away)
    knowledge.create_base("Handbook", base_id=BASE, tenant=TENANT)
    assert not knowledge.ingest(BASE, "a", "a.txt", b"lamp return", tenant=TENANT).indexed
    time.sleep(0.15)
    started = time.monotonic()
    found = knowledge.retrieve("lamp", base_ids=[BASE], tenant=TENANT)
    assert time.monotonic() - started < 1.0
    assert [passage.text for passage in found.passages] == ["lamp return"]
    assert (found.degraded, found.retrievers) == (True, ("lexical",))
    assert found.relevance_kind == "cosine_and_coverage"
    health = knowledge.index_health()
    assert (health.available, health.pending) == (False, 1)
    assert not knowledge.reconcile_all().available
    away.close()


def test_a_killed_server_degrades_answers_and_then_they_are_whole_again(
    open_knowledge: OpenKnowledge, server: ChromaServer
) -> None:
    index = ChromaIndex.connect("127.0.0.1", server.port, 5.0, breaker_s=0.05)
    knowledge = open_knowledge(vectors=index)
    knowledge.create_base("Handbook", base_id=BASE, tenant=TENANT)
    knowledge.ingest(BASE, "a", "a.txt", b"lamp return", tenant=TENANT)

    def ask() -> bool:
        return knowledge.retrieve("lamp", base_ids=[BASE], tenant=TENANT).degraded

    assert not ask()
    server.end(signal.SIGKILL)
    assert ask()
    assert not knowledge.ingest(BASE, "b", "b.txt", b"lamp shade", tenant=TENANT).indexed
    server.start()
    time.sleep(0.1)
    assert knowledge.catch_up().missing_added == 1
    found = knowledge.retrieve("lamp", base_ids=[BASE], tenant=TENANT)
    assert not found.degraded
    assert {passage.retrievers for passage in found.passages} == {("dense", "lexical")}
    index.close()


def test_a_closed_index_says_so(refused_port: int) -> None:
    index = ChromaIndex.connect("127.0.0.1", refused_port)
    index.close()
    with pytest.raises(StoreUnavailable, match="closed"):
        index.ping()
