"""How adapters go live, stay live and go back."""

import threading
from functools import partial
from typing import Any

import pytest

from adapters import AdapterRegistry
from adapters.training.journal import Journal
from knowledge import Knowledge
from service.access import LOOPBACK_CALLER
from service.engine import loader, publisher
from tests.fakes.evaluation import make_evaluation
from tests.service.conftest import Running
from tests.service.waiting import eventually


def test_publishing_loads_under_the_immutable_name_and_shows_the_effect(running: Running) -> None:
    adapter = running.context.registry.register(
        running.adapters.write(), tenant=LOOPBACK_CALLER.tenant
    )
    body = running.client.post(f"/adapters/{adapter.adapter_id}/publish").json()
    assert body["state"] == "live"
    assert body["effect"]["is_applied"] is True
    assert body["effect"]["served_shift"] == pytest.approx(1.0)
    assert list(running.engine.adapters) == [adapter.adapter_id]


@pytest.mark.parametrize("switch", ["no_effect", "unlisted", "refuse_load"])
def test_an_adapter_that_fails_its_check_does_not_go_live(running: Running, switch: str) -> None:
    first = running.publish()
    second = running.context.registry.register(
        running.adapters.write(seed=1), tenant=LOOPBACK_CALLER.tenant
    )
    setattr(running.engine.switches, switch, True)
    reply = running.client.post(f"/adapters/{second.adapter_id}/publish")
    assert reply.status_code in (400, 409)
    assert (
        running.context.registry.resolve("helpdesk", tenant=LOOPBACK_CALLER.tenant).adapter_id
        == first
    )
    assert second.adapter_id in reply.json()["detail"] or switch == "refuse_load"


def test_an_adapter_without_effect_is_unloaded_again(running: Running) -> None:
    adapter = running.context.registry.register(
        running.adapters.write(), tenant=LOOPBACK_CALLER.tenant
    )
    running.engine.switches.no_effect = True
    reply = running.client.post(f"/adapters/{adapter.adapter_id}/publish")
    assert reply.json()["error"]["code"] == "publish_failed"
    assert running.engine.adapters == {}


def test_a_new_adapter_replaces_the_old_which_is_drained_and_unloaded(running: Running) -> None:
    first = running.prepare()
    running.engine.switches.pause_s = 0.6
    models: list[str] = []

    def ask() -> None:
        models.append(running.ask(use_case="demo", strategy="hybrid").json()["model"])

    asking = threading.Thread(target=ask)
    asking.start()
    eventually(lambda: running.engine.running == 1)
    second = running.publish(seed=1)
    assert first in running.engine.adapters  # still answering
    asking.join()
    assert models == [first]
    running.engine.switches.pause_s = 0.0
    assert running.ask(use_case="demo", strategy="hybrid").json()["model"] == second
    eventually(lambda: first not in running.engine.adapters)


def test_requests_go_on_while_an_adapter_is_published(running: Running) -> None:
    running.prepare()
    statuses: list[int] = []
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            statuses.append(running.ask(use_case="demo", strategy="hybrid").status_code)

    asking = [threading.Thread(target=ask) for _ in range(3)]
    for thread in asking:
        thread.start()
    running.publish(seed=1)
    running.client.post("/adapters/helpdesk/rollback")
    stop.set()
    for thread in asking:
        thread.join()
    assert len(statuses) > 3
    assert set(statuses) == {200}


def test_an_adapter_stays_while_an_answer_that_will_use_it_still_retrieves(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = running.prepare()
    monkeypatch.setattr(publisher, "REPLICA_DELAY_S", 0.0)
    monkeypatch.setattr(loader, "POLL_S", 0.05)
    retrieve, retrieves, go_on = Knowledge.retrieve, threading.Event(), threading.Event()

    def slow(*arguments: Any, **named: Any) -> Any:
        retrieves.set()
        go_on.wait(10)
        return retrieve(*arguments, **named)

    monkeypatch.setattr(Knowledge, "retrieve", slow)
    replies: list[Any] = []
    ask = threading.Thread(
        target=lambda: replies.append(running.ask(use_case="demo", strategy="hybrid"))
    )
    ask.start()
    retrieves.wait(10)
    running.publish(seed=1)
    running.publish(task="other")
    running.client.post("/adapters/other/withdraw")
    eventually(lambda: len(running.engine.adapters) == 2)  # what nobody uses has gone
    go_on.set()
    ask.join()
    assert (replies[0].status_code, replies[0].json()["model"]) == (200, first)
    eventually(lambda: first not in running.engine.adapters)


def test_what_an_earlier_gateway_left_loaded_is_unloaded_and_nothing_else(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = running.prepare()
    monkeypatch.setattr(loader, "UNUSED_S", 0.0)
    left = running.context.registry.register(
        running.adapters.write(seed=1), tenant=LOOPBACK_CALLER.tenant
    ).adapter_id
    running.engine.adapters |= {"the-operators-own": "elsewhere", left: "here"}
    eventually(lambda: left not in running.engine.adapters)
    assert set(running.engine.adapters) == {live, "the-operators-own"}
    assert running.ask(use_case="demo", strategy="hybrid").json()["model"] == live


def test_what_another_gateway_is_publishing_is_not_unloaded(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    running.prepare()
    monkeypatch.setattr(loader, "UNUSED_S", 0.5)
    known, noted = AdapterRegistry.known, threading.Event()

    def spied(*arguments: Any) -> frozenset[str]:
        noted.set()
        return known(*arguments)

    monkeypatch.setattr(AdapterRegistry, "known", spied)
    second = running.context.registry.register(
        running.adapters.write(seed=1), tenant=LOOPBACK_CALLER.tenant
    ).adapter_id
    third = running.context.registry.register(
        running.adapters.write(seed=2), tenant=LOOPBACK_CALLER.tenant
    ).adapter_id
    running.engine.adapters |= {second: "here", third: "here"}  # loaded elsewhere, being proven
    noted.wait(10)
    running.context.registry.publish(second, tenant=LOOPBACK_CALLER.tenant)
    eventually(lambda: third not in running.engine.adapters)  # so much later
    assert running.engine.adapters[second] == "here"  # neither unloaded nor loaded again
    ask = partial(running.ask, use_case="demo", strategy="hybrid")
    eventually(lambda: ask().json().get("model") == second)  # 503 until this gateway has seen it


def test_rollback_returns_to_the_adapter_before(running: Running) -> None:
    first = running.prepare()
    running.publish(seed=1)
    body = running.client.post("/adapters/helpdesk/rollback").json()
    assert body["adapter_id"] == first
    assert running.ask(use_case="demo", strategy="hybrid").json()["model"] == first


def test_rollback_without_a_past_is_refused(running: Running) -> None:
    running.prepare()
    reply = running.client.post("/adapters/helpdesk/rollback")
    assert reply.status_code == 409
    assert reply.json()["error"]["code"] == "nothing_to_roll_back"


def test_a_tampered_folder_is_not_loaded(running: Running) -> None:
    folder = running.adapters.write()
    adapter = running.context.registry.register(folder, tenant=LOOPBACK_CALLER.tenant)
    weights = folder / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x7f")
    reply = running.client.post(f"/adapters/{adapter.adapter_id}/publish")
    assert reply.status_code == 409
    assert reply.json()["error"]["code"] == "adapter_digest_mismatch"
    assert running.engine.adapters == {}


def test_a_withdrawn_task_is_refused_naming_the_adapter_it_lacks(running: Running) -> None:
    running.prepare()
    assert running.client.post("/adapters/helpdesk/withdraw").status_code == 200
    reply = running.ask(use_case="demo", strategy="fine_tuned")
    assert reply.status_code == 409
    assert "helpdesk" in reply.json()["detail"]


def test_an_unknown_adapter_is_404(running: Running) -> None:
    assert running.client.post("/adapters/nobody@12345678/publish").status_code == 404
    assert running.client.get("/adapters/nobody").status_code == 404


def test_an_adapter_that_was_never_evaluated_goes_live_and_that_is_said(running: Running) -> None:
    adapter = running.context.registry.register(
        running.adapters.write(), tenant=LOOPBACK_CALLER.tenant
    )
    body = running.client.post(f"/adapters/{adapter.adapter_id}/publish").json()
    assert (body["state"], body["verdict"], body["gate_passed"]) == ("live", None, None)
    assert "never evaluated" in body["note"]


@pytest.mark.parametrize("verdict", ["REGRESSED", "REJECTED"])
def test_a_failed_gate_stops_a_publish_before_anything_is_loaded(
    running: Running, verdict: str
) -> None:
    adapter = running.context.registry.register(
        running.adapters.write(), tenant=LOOPBACK_CALLER.tenant
    )
    running.context.registry.record_evaluation(
        make_evaluation(adapter.adapter_id, verdict), tenant=LOOPBACK_CALLER.tenant
    )
    reply = running.client.post(f"/adapters/{adapter.adapter_id}/publish")
    assert (reply.status_code, reply.json()["error"]["code"]) == (409, "gate_not_passed")
    assert verdict in reply.json()["detail"]
    assert running.engine.adapters == {}


def test_an_override_lets_it_serve_and_is_told(running: Running) -> None:
    adapter = running.context.registry.register(
        running.adapters.write(), tenant=LOOPBACK_CALLER.tenant
    )
    running.context.registry.record_evaluation(
        make_evaluation(adapter.adapter_id, "REJECTED"), tenant=LOOPBACK_CALLER.tenant
    )
    path = f"/adapters/{adapter.adapter_id}"
    body = running.client.post(f"{path}/publish", json={"override": "a demo"}).json()
    assert (body["state"], body["verdict"], body["note"]) == ("live", "REJECTED", None)
    shown = running.client.get(path).json()
    assert shown["gate_override"]["reason"] == "a demo"
    assert shown["gate_passed"] is True


def test_a_publish_with_an_unknown_key_is_refused(running: Running) -> None:
    adapter = running.context.registry.register(
        running.adapters.write(), tenant=LOOPBACK_CALLER.tenant
    )
    path = f"/adapters/{adapter.adapter_id}/publish"
    assert running.client.post(path, json={"overide": "typo"}).status_code == 422


def test_an_adapter_is_shown_with_the_states_it_went_through(running: Running) -> None:
    first = running.publish()
    running.publish(seed=1)
    shown = running.client.get(f"/adapters/{first}").json()
    assert shown["state"] == "published"
    states = [change["state"] for change in shown["history"]]
    assert states == ["trained", "published", "live", "published"]
    assert {change["by"] for change in shown["history"][1:]} == {"gateway"}


def test_a_run_that_has_made_no_adapter_yet_is_a_draft(running: Running) -> None:
    runs = running.settings.paths.trainings
    with Journal.lock_folder(runs / "job_1") as journal:
        journal.begin(task="helpdesk", stage="sft", base_model="tiny")
        page = running.client.get("/adapters").json()
        (draft,) = page["drafts"]
        assert (draft["state"], draft["run_id"], draft["task"]) == ("draft", "job_1", "helpdesk")
        assert page["data"] == []
        shown = running.client.get("/adapters/job_1").json()
        assert [change["state"] for change in shown["history"]] == ["draft"]
        journal.end("failed", error="no memory")
    assert running.client.get("/adapters").json()["drafts"] == []
    assert running.client.get("/adapters/job_1").status_code == 404
