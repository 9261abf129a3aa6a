"""What happens when the engine, the client or the index goes away."""

import json
import threading
from typing import Any

import httpx
import pytest

from service.context import AppContext
from tests.fakes.engine import Served
from tests.service.conftest import Running
from tests.service.waiting import eventually

QUESTION = {"messages": [{"role": "user", "content": "Hi there, tell me about lamps"}]}


def stream_events(running: Running, **body: Any) -> list[tuple[str, dict[str, Any]]]:
    events: list[tuple[str, dict[str, Any]]] = []
    with running.client.stream("POST", "/chat", json={**QUESTION, **body, "stream": True}) as reply:
        assert reply.status_code == 200
        for block in reply.read().decode().split("\n\n"):
            lines = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
            if "event" in lines:
                events.append((lines["event"], json.loads(lines["data"])))
    return events


@pytest.mark.parametrize(
    "switch",
    [{"break_after": 2}, {"error_after": 2}, {"no_finish": True}, {"not_json": True}],
    ids=lambda switch: next(iter(switch)),
)
def test_a_stream_the_engine_breaks_ends_with_one_error_event(
    running: Running, switch: dict[str, Any]
) -> None:
    for name, value in switch.items():
        setattr(running.engine.switches, name, value)
    events = stream_events(running, strategy="prompt_only")
    names = [name for name, _ in events]
    assert names.count("error") == 1
    assert names[-1] == "error"
    assert "done" not in names
    assert events[-1][1]["error"]["code"] == "stream_broken"


def test_a_plain_answer_the_engine_breaks_is_502(running: Running) -> None:
    running.engine.switches.break_after = 2
    reply = running.client.post("/chat", json={**QUESTION, "strategy": "prompt_only"})
    assert reply.status_code == 502
    assert reply.json()["error"]["code"] == "stream_broken"


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("status", [429, 503])
def test_an_overloaded_engine_is_503_with_retry_after_before_any_event(
    running: Running, status: int, stream: bool
) -> None:
    running.engine.switches.refuse = status
    reply = running.client.post(
        "/chat", json={**QUESTION, "strategy": "prompt_only", "stream": stream}
    )
    assert reply.status_code == 503
    assert reply.headers["retry-after"]
    assert reply.json()["error"]["code"] == "engine_unavailable"


def test_the_engine_away_is_503_and_not_ready_but_alive_and_comes_back_by_itself(
    running: Running,
) -> None:
    adapter_id = running.prepare()
    running.engine_server.__exit__()
    running.engine.adapters.clear()  # a restarted engine knows no adapter
    reply = running.client.post("/chat", json={**QUESTION, "strategy": "prompt_only"})
    assert reply.status_code == 503
    assert reply.headers["retry-after"]
    eventually(lambda: running.client.get("/ready").status_code == 503)
    assert running.client.get("/health").status_code == 200
    assert running.ask(use_case="demo", strategy="hybrid").status_code == 503
    with Served(running.engine.app(), running.ports.engine):
        eventually(lambda: running.client.get("/ready").status_code == 200)
        body = running.ask(use_case="demo", strategy="hybrid").json()
        assert body["model"] == adapter_id
        assert adapter_id in running.engine.adapters


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_leaves_frees_the_engine(running: Running, stream: bool) -> None:
    running.engine.switches.pause_s = 0.2
    running.engine.switches.pieces = tuple("x" for _ in range(200))
    body = {**QUESTION, "strategy": "prompt_only", "stream": stream}

    def leave_early() -> None:
        with httpx.Client(base_url=running.client.base_url, timeout=0.5) as client:
            try:
                with client.stream("POST", "/chat", json=body) as reply:
                    next(reply.iter_bytes())
            except httpx.ReadTimeout:
                pass  # a plain answer has not begun; leaving is the point

    leaving = threading.Thread(target=leave_early)
    leaving.start()
    leaving.join()
    eventually(lambda: running.engine.aborted == 1, within_s=2.0)
    assert running.engine.running == 0


def test_the_index_away_is_answered_lexically_and_says_so(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    from knowledge import ChromaIndex, StoreUnavailable

    running.prepare()

    def gone(*_: object, **__: object) -> None:
        raise StoreUnavailable("Chroma does not answer")

    monkeypatch.setattr(ChromaIndex, "start_query", gone)
    body = running.ask(use_case="demo", strategy="rag").json()
    assert body["degraded"] is True
    assert body["outcome"] == "answered"
    assert "within 30 days" in running.engine.requests[-1]["messages"][-1]["content"]


def test_an_internal_fault_says_nothing_of_its_inside(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret inner state")

    monkeypatch.setattr(AppContext, "use_case", broken)
    reply = running.client.post("/chat", json=QUESTION)
    assert reply.status_code == 500
    assert "secret" not in reply.text
    assert reply.json()["error"]["code"] == "internal_error"
