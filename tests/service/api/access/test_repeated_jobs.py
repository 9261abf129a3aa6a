"""An `Idempotency-Key` of a request that makes a job belongs to the API key that sent it."""

from typing import Any

import httpx
import pytest
from sqlalchemy import select

from service.access import Scope
from service.stores.jobs import jobs
from tests.service.api.access.conftest import MakeKey
from tests.service.conftest import Running

STORE = "/v1/vector_stores/handbook"
NAME = "k" * 200  # as long as one may be
ROWS = b'{"prompt": "colour?", "completion": "blue"}\n' * 60
SCOPES = (Scope.KB_WRITE, Scope.KB_READ, Scope.TRAIN)


@pytest.fixture
def idle(keyed: Running, monkeypatch: pytest.MonkeyPatch) -> Running:
    """Keep a version to go back to; then no worker takes up a job, and no request waits for one."""
    kept = keyed.client.post(STORE, json={"keep_versions": 3})
    assert kept.status_code == 200, kept.text
    assert keyed.put_document("# Returns\n\nWithin 60 days.").status_code == 200
    assert keyed.put_document("# Returns\n\nWithin 90 days.").status_code == 200
    changed = keyed.settings.server.model_copy(update={"put_wait_s": 0.0})
    monkeypatch.setitem(keyed.settings.__dict__, "server", changed)
    monkeypatch.setattr("service.stores.leases.Leases.claim", lambda *_: None)
    return keyed


def upload(client: httpx.Client, name: str, content: bytes) -> str:
    return str(client.post("/v1/files", files={"file": (name, content)}).json()["id"])


def bodies(idle: Running) -> dict[str, dict[str, Any]]:
    """Return a request of each kind that makes a job, by method and path."""
    document, rows = (
        upload(idle.client, "a.md", b"# A\n\nlamp"),
        upload(idle.client, "r.jsonl", ROWS),
    )
    return {
        f"POST {STORE}/rebuild": {},
        f"POST {STORE}/reindex": {},
        f"POST {STORE}/files": {"file_id": document},
        f"POST {STORE}/file_batches": {"file_ids": [document]},
        f"POST {STORE}/rollback": {"document": "returns.md", "version": 2},
        f"PUT {STORE}/documents/b.md": {"filename": "b.md", "content": "# B\n\nchair"},
        "POST /v1/fine_tuning/jobs": {"training_file": rows, "config": {"task": "t"}},
    }


def queued(idle: Running) -> list[tuple[str, str | None]]:
    query = select(jobs.c.idempotency_key, jobs.c.key_id).where(jobs.c.status == "queued")
    with idle.context.database.connect() as connection:
        return [(str(row[0]), row[1]) for row in connection.execute(query)]


def test_the_same_name_is_one_job_of_a_key_and_another_of_another_key(
    idle: Running, client_with: MakeKey
) -> None:
    def send(client: httpx.Client, kind: str, body: dict[str, Any]) -> Any:
        method, path = kind.split(" ")
        name = {"idempotency-key": f"{number}{NAME}"[:200]}
        reply = client.request(method, path, json=body, headers=name)
        assert reply.status_code in (200, 202), reply.text
        return reply.json()

    with client_with(*SCOPES) as one, client_with(*SCOPES) as other:
        for number, asked in enumerate(bodies(idle).items()):
            made = [send(client, *asked) for client in (one, one, other, other)]
            assert made[0] == made[1], asked
            assert made[2] == made[3], asked
            assert len(queued(idle)) == 2 * (number + 1), asked
    assert len({key_id for _, key_id in queued(idle)}) == 2
    assert all(len(name) <= 255 for name, _ in queued(idle))


def test_another_request_under_the_name_of_another_key_is_no_conflict(
    idle: Running, client_with: MakeKey
) -> None:
    name = {"idempotency-key": NAME}
    files = [upload(idle.client, f"{letter}.md", letter.encode() * 9) for letter in "abc"]
    with client_with(*SCOPES) as one, client_with(*SCOPES) as other:
        made = {}
        for client, ids in ((one, files[:2]), (other, files[1:])):
            batch = client.post(f"{STORE}/file_batches", json={"file_ids": ids}, headers=name)
            assert batch.status_code == 200, batch.text
            assert batch.json()["file_counts"]["total"] == 2
            made[batch.json()["id"]] = client, ids
        assert len(made) == 2
        for batch_id, (client, ids) in made.items():
            listed = client.get(f"{STORE}/file_batches/{batch_id}/files").json()["data"]
            assert [row["id"] for row in listed] == ids
        mine = one.post(f"{STORE}/file_batches", json={"file_ids": files[1:]}, headers=name)
        assert (mine.status_code, mine.json()["error"]["code"]) == (409, "idempotency_key_reused")
