"""Why a request was answered as it was, and what an observed policy would have done: over HTTP."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from router import DEFAULT_POLICY_FILE, load_policy
from service.settings import RecordSettings, Settings
from service.stores.records import Records
from tests.service.conftest import Running
from tests.service.waiting import eventually

QUESTION = "Within how many days of delivery can a lamp be returned?"


def why(running: Running, request_id: str) -> dict[str, Any]:
    """Return the trace, once it is written."""
    place = f"/decisions/{request_id}"
    eventually(lambda: running.client.get(place).status_code == 200)
    body: dict[str, Any] = running.client.get(place).json()
    return body


def test_the_trace_shows_every_node_the_facts_and_what_the_passages_settled(
    running: Running,
) -> None:
    running.prepare()
    told = running.ask(use_case="demo", explain=True).json()
    kept = why(running, told["id"])
    assert (kept["object"], kept["use_case"], kept["outcome"]) == ("decision", "demo", "answered")
    assert (kept["strategy"], kept["model"]) == (told["strategy"], told["model"])
    assert set(kept) == {
        *("id", "object", "created_at", "use_case", "outcome", "strategy", "model", "decision"),
        *("observed", "usage", "timings_ms", "question", "answer"),
    }
    trace = kept["decision"]
    assert trace["facts"] == told["decision"]["facts"]
    assert trace["facts"]["labelled_examples"]["unit"] == "rows"
    assert trace["policy_version"] == told["decision"]["policy_version"]
    (chose,) = [f for f in trace["findings"] if f["rule"] == trace["rule"] == "need_both"]
    assert chose["leaves"][0]["values"] == {"need": "both"}
    assert chose["when"] == 0
    assert trace["settlement"]["evidence"]["passages"] == 1
    assert trace["settlement"]["finding"]["rule"] == "otherwise"
    assert kept["observed"] is None
    assert kept["usage"] == told["usage"]


LEAN = {"strategy", "rule", "because", "rejected", "policy_version"}


def test_the_answer_tells_the_decision_in_brief_and_all_of_it_when_asked(running: Running) -> None:
    running.prepare()
    lean = running.ask(use_case="demo").json()["decision"]
    assert lean.keys() == LEAN
    assert lean["because"].keys() == {"zh", "en"}
    assert all(each.keys() == {"strategy", "rule", "because"} for each in lean["rejected"])
    reply = running.ask(use_case="demo", explain=True).json()
    explained = reply["decision"]
    assert {name: explained[name] for name in LEAN - {"rejected"}} == {
        name: lean[name] for name in LEAN - {"rejected"}
    }
    assert [each["rule"] for each in explained["rejected"]] == [
        each["rule"] for each in lean["rejected"]
    ]
    assert explained == why(running, reply["id"])["decision"]
    assert explained["settlement"]["finding"]["leaves"] == []


def test_each_rejection_of_a_lean_decision_names_its_own_rule_and_reason(running: Running) -> None:
    running.put_use_case(knowledge_bases=[])
    lean, full = (
        running.ask(use_case="demo", explain=explain).json()["decision"]
        for explain in (False, True)
    )
    kept = [
        {key: each[key] for key in ("strategy", "rule", "because")} for each in full["rejected"]
    ]
    assert lean["rejected"] == kept
    assert {each["rule"] for each in kept} - {lean["rule"]}, "another rule than the one that chose"


def test_a_streamed_decision_is_lean_too(running: Running) -> None:
    running.prepare()
    body = {"messages": [{"role": "user", "content": QUESTION}], "use_case": "demo", "stream": True}
    events = running.client.post("/chat", json=body).text.split("\n\n")
    assert events[0].startswith("event: decision")
    for event in (events[0], next(e for e in events if e.startswith("event: done"))):
        told = json.loads(event.partition("data: ")[2])
        assert told["decision"].keys() == LEAN


def test_a_short_answer_without_the_texts_of_its_citations_is_small(running: Running) -> None:
    running.prepare()
    running.engine.switches.pieces = ("An unused lamp can be returned ", "within 30 days [1].")
    reply = running.ask(use_case="demo").json()
    texts = sum(len(citation.pop("text")) for citation in reply["citations"])
    assert texts
    assert len(json.dumps(reply, ensure_ascii=False).encode()) <= 2_500


def test_the_trace_of_a_request_that_abstained_says_what_settled_it(running: Running) -> None:
    running.prepare()
    told = running.ask("Who painted zebra quartz?", use_case="demo", strategy="rag").json()
    trace = why(running, told["id"])["decision"]
    assert trace["rule"] == "asked"
    settled = trace["settlement"]
    assert (settled["outcome"], settled["finding"]["rule"]) == ("abstain", "nothing_relevant")
    assert settled["finding"]["leaves"][0]["values"] == {"passages": 0, "min_passages": 1}


def test_the_trace_of_a_fallback_names_both_strategies(running: Running) -> None:
    running.prepare()
    running.put_use_case(allow_prompt_only_when_nothing_found=True)
    told = running.ask("Who painted zebra quartz?", use_case="demo", strategy="rag").json()
    trace = why(running, told["id"])["decision"]
    assert (trace["strategy"], trace["fallback_from"]) == ("prompt_only", "rag")


@pytest.mark.parametrize("store_text", [True, False])
def test_texts_are_in_the_trace_only_where_they_are_kept(
    running: Running, monkeypatch: pytest.MonkeyPatch, store_text: bool
) -> None:
    configured = RecordSettings(store_text=store_text)
    monkeypatch.setattr(running.context.records, "_settings", configured)
    question = "How long may a purple lamp be returned?"
    kept = why(running, running.ask(question, strategy="prompt_only").json()["id"])
    assert kept["question"] == (question if store_text else None)
    assert ("purple" in json.dumps(kept)) == store_text


def test_a_kept_record_is_a_few_kilobytes(running: Running) -> None:
    running.prepare()
    kept = running.ask(use_case="demo").json()["id"]
    why(running, kept)
    found = Records(running.context.database, RecordSettings()).get(kept, tenant="default")
    assert found is not None
    assert found.trace is not None
    assert len(found.trace) < 6_000
    assert "facts" not in found.decision  # they stand in the trace


def test_an_unknown_request_is_404_and_says_how_long_records_are_kept(running: Running) -> None:
    reply = running.client.get("/decisions/req_nobody")
    assert reply.status_code == 404
    assert reply.json()["error"]["code"] == "decision_not_found"
    assert "req_nobody" in reply.json()["detail"]
    assert "kept for 30 days" in reply.json()["detail"]


def test_without_an_observed_policy_there_are_no_observations(running: Running) -> None:
    why(running, running.ask(strategy="prompt_only").json()["id"])
    body = running.client.get("/observations").json()
    assert (body["data"], body["observing"], body["problem"]) == ([], None, None)


def write_other(home: Path, **replaced: str) -> Path:
    """Write the default policy as `other.yaml` into the home, with texts replaced."""
    text = DEFAULT_POLICY_FILE.read_text(encoding="utf-8").replace("name: default", "name: other")
    for old, new in replaced.items():
        assert PLACES[old] in text
        text = text.replace(PLACES[old], new)
    file = home / "other.yaml"
    file.write_text(text, encoding="utf-8")
    return file


PLACES = {"both": "prefer: [hybrid, rag, fine_tuned]", "outcome": "outcome: abstain"}


@pytest.fixture
def settings(settings: Settings, request: pytest.FixtureRequest) -> Iterator[Settings]:
    """Yield settings that observe a policy where the test names one."""
    asked: Mapping[str, str] | None = getattr(request, "param", None)
    if asked is None:
        yield settings
        return
    write_other(settings.home, **asked)
    router = settings.router.model_copy(update={"observe": Path("other.yaml")})
    yield settings.model_copy(update={"router": router})


OBSERVED = pytest.mark.parametrize(
    "settings", [{"both": "prefer: [rag, hybrid, fine_tuned]"}], indirect=True
)


@OBSERVED
def test_an_observed_policy_decides_every_request_and_is_never_followed(running: Running) -> None:
    running.prepare()
    told = [running.ask(use_case="demo").json() for _ in range(2)]
    greeting = running.ask("Hello!", use_case="demo").json()
    assert [answer["strategy"] for answer in (*told, greeting)] == [
        "hybrid",
        "hybrid",
        "prompt_only",
    ]
    for answer in (*told, greeting):
        why(running, answer["id"])
    observed = why(running, told[0]["id"])["observed"]
    assert observed["differs"] is True
    assert (observed["now"]["strategy"], observed["then"]["strategy"]) == ("hybrid", "rag")

    choice = {"policy_version", "strategy", "rule", "course"}
    assert set(observed) == {"differs", "now", "then"}
    assert set(observed["now"]) == set(observed["then"]) == choice

    body = running.client.get("/observations").json()
    assert set(body) == {"object", "data", "has_more", "policy", "observing", "problem"}
    other = load_policy(running.settings.home / "other.yaml").version
    assert (body["observing"], body["problem"]) == (other, None)
    (seen,) = body["data"]
    assert (seen["policy_now"], seen["policy_then"]) == (body["policy"], other)
    assert (seen["requests"], seen["differ"], seen["share_differ"]) == (3, 2, 0.6667)
    assert seen["since"] <= seen["until"]
    assert set(seen) == {
        *("object", "policy_now", "policy_then", "since", "until", "requests", "differ"),
        *("share_differ", "pairs"),
    }
    first, second = seen["pairs"]
    assert set(first) == {
        *(f"{name}_{side}" for name in ("strategy", "rule", "course") for side in ("now", "then")),
        *("differs", "n", "share", "since", "until"),
    }
    assert (first["rule_now"], first["rule_then"], first["n"]) == ("need_both", "need_both", 2)
    assert (first["strategy_now"], first["strategy_then"]) == ("hybrid", "rag")
    assert (first["differs"], second["differs"]) == (True, False)
    assert (second["rule_now"], second["rule_then"]) == ("chit_chat", "chit_chat")


@pytest.mark.parametrize("settings", [{"both": "prefer: magic"}], indirect=True)
def test_a_bad_observed_policy_is_told_of_and_the_gateway_serves(running: Running) -> None:
    running.prepare()
    assert running.ask(use_case="demo").status_code == 200
    body = running.client.get("/observations").json()
    assert body["observing"] is None
    assert "other.yaml, line" in body["problem"]
    assert body["data"] == []


@OBSERVED
def test_a_changed_observed_policy_is_taken_without_a_restart_and_a_bad_one_is_not(
    running: Running,
) -> None:
    running.prepare()
    file = running.settings.home / "other.yaml"
    first = load_policy(file).version

    def observing() -> dict[str, Any]:
        seen: dict[str, Any] = running.client.get("/observations").json()
        return seen

    def differs() -> bool:
        answer = running.ask(use_case="demo").json()
        return bool(why(running, answer["id"])["observed"]["differs"])

    assert differs()
    write_other(running.settings.home, both="prefer: [hybrid, fine_tuned]")
    eventually(lambda: observing()["observing"] != first)
    second = load_policy(file).version
    assert observing()["observing"] == second
    assert not differs()
    write_other(running.settings.home, both="prefer: magic")
    eventually(lambda: observing()["problem"] is not None)
    told = observing()
    assert (told["observing"], "other.yaml, line" in told["problem"]) == (second, True)
    ready = running.client.get("/ready")
    refused = ready.json()["observed_policy"]
    assert (ready.status_code, refused["version"]) == (200, second)
    assert refused["refused"]["file"] == str(file)
    assert not differs()
