"""The bodies of `/adapters`; how adapters go live is tested with the publisher."""

from adapters.training.journal import Journal
from service.access import LOOPBACK_CALLER
from service.stores.job_kinds import TRAIN, TrainArgs
from tests.fakes.evaluation import make_evaluation
from tests.service.conftest import Running
from tests.service.waiting import eventually

ADAPTER = {
    *("object", "adapter_id", "task", "base_model", "base_revision", "state", "context_trained"),
    *("sha256", "metrics", "created_at", "published_at", "verdict", "gate_passed"),
    *("gate_override", "evaluation"),
}
CHANGE = {"state", "at", "by", "why"}


def test_an_adapter_is_told_the_same_in_the_list_alone_and_when_published(
    running: Running,
) -> None:
    registry, tenant = running.context.registry, LOOPBACK_CALLER.tenant
    adapter = registry.register(running.adapters.write(), tenant=tenant)
    registry.record_evaluation(make_evaluation(adapter.adapter_id, "REJECTED"), tenant=tenant)
    path = f"/adapters/{adapter.adapter_id}"
    published = running.client.post(f"{path}/publish", json={"override": "a demo"}).json()
    assert set(published) == ADAPTER | {"replaced", "effect", "note"}
    assert set(published["gate_override"]) == {"reason", "verdict", "at"}
    assert set(published["effect"]) == {
        *("differs", "matches_reference", "served_shift", "reference_shift", "error"),
        *("base_error", "is_applied"),
    }
    page = running.client.get("/adapters").json()
    (listed,) = page["data"]
    assert page == {"object": "list", "data": [listed], "drafts": [], "has_more": False}
    assert set(listed) == ADAPTER
    assert listed.items() <= published.items()
    assert listed["evaluation"] == make_evaluation(adapter.adapter_id, "REJECTED").as_dict()
    shown = running.client.get(path).json()
    history = shown.pop("history")
    assert shown == listed
    assert {frozenset(change) for change in history} == {frozenset(CHANGE)}
    assert running.client.get("/adapters/helpdesk").json()["adapter_id"] == adapter.adapter_id


def test_a_draft_is_told_in_the_list_and_alone(running: Running) -> None:
    with Journal.lock_folder(running.settings.paths.trainings / "job_1") as journal:
        journal.begin(task="helpdesk", stage="sft", base_model="tiny")
        (draft,) = running.client.get("/adapters").json()["drafts"]
        shown = running.client.get("/adapters/job_1").json()
    created_at = draft.pop("created_at")
    assert draft == {
        "object": "adapter_draft",
        "run_id": "job_1",
        "adapter_id": None,
        "task": "helpdesk",
        "base_model": "tiny",
        "state": "draft",
        "status": "running",
        "step": None,
        "steps": None,
        "checkpoint_step": None,
    }
    began = {"state": "draft", "at": created_at, "by": "job_1", "why": "training began"}
    assert shown == {**draft, "created_at": created_at, "history": [began]}


def test_a_draft_of_another_tenant_is_not_told(running: Running) -> None:
    args = TrainArgs(file_id="none", config={})
    context = running.context
    job = context.jobs.enqueue(TRAIN, args, tenant="acme")
    eventually(lambda: context.jobs.get(job.job_id, tenant="acme").has_ended)
    with Journal.lock_folder(running.settings.paths.trainings / job.job_id) as journal:
        journal.begin(task="helpdesk", stage="sft", base_model="tiny")
        assert running.client.get("/adapters").json()["drafts"] == []
        assert running.client.get(f"/adapters/{job.job_id}").status_code == 404


def test_withdrawing_and_retiring_say_what_is_left(running: Running) -> None:
    adapter_id = running.publish()
    assert running.client.post("/adapters/helpdesk/withdraw").json() == {
        "object": "adapter_alias",
        "task": "helpdesk",
        "adapter_id": None,
    }
    retired = running.client.post(f"/adapters/{adapter_id}/retire").json()
    assert (set(retired), retired["state"]) == (ADAPTER, "retired")
