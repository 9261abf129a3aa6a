"""No reply names what its key may not know: random requests of random keys to every route.

Two tenants, four sets of scopes, three access labels each, keys bound to bases and use cases; a
hundred requests here, 10,000 with `--long`.
"""

import json
import random
import secrets
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from service.access import Scope
from service.api.http.scopes import NEEDS, Needs
from service.settings import JobSettings, RecordSettings, ServerSettings, Settings
from service.stores.access.api_keys import ApiKeys, NewKey
from service.stores.job_kinds import Lane, TrainArgs, TrainResult
from service.stores.jobs import Status, jobs
from service.worker.handlers import Cancelled, Task
from tests.fakes.context import FakeAdapters
from tests.fakes.engine import FakeEngine
from tests.fakes.two_tenants import two_tenants
from tests.repetition import is_long, times
from tests.service.tenants.leak_model import SCOPES, TENANTS, Key, Model
from tests.service.tenants.leak_requests import STORE, Requests, rows_file
from tests.service.waiting import eventually

WITHOUT_DATA = {
    "GET /": "name, version and links",
    "GET /docs": "a page for every home",
    "GET /docs/docs.js": "a script for every home",
    "GET /docs/docs.css": "a style for every home",
    "GET /openapi.json": "the same for every home",
    "GET /ready": "to this machine it tells of all tenants",
    "GET /health": "that the process lives",
    "GET /sources.css": "a style for every home",
}
"""Routes of which nothing is asked, and why."""
ROUTES = [each for each in NEEDS if each not in WITHOUT_DATA]
READS = ("GET", "POST /chat", "POST /v1/chat", "POST /v1/responses", f"POST {STORE}/search")
WEIGHTS = [4 if each.startswith(READS) else 1 for each in ROUTES]
MOVING = [Status.QUEUED, Status.RUNNING]
pytestmark = pytest.mark.timeout(times(120, 5_400), func_only=True)  # of a busy machine


def trained(task: Task[TrainArgs], **_: object) -> TrainResult:
    """Stand in for a training: one that is to be paused or cancelled goes on until it is."""
    wanted = (task.args.metadata or {}).get("for")
    if wanted == "resume":
        raise Cancelled
    until = time.monotonic() + (10 if wanted in ("pause", "cancel") else 0)
    while time.monotonic() < until:
        if not task.report(None):
            raise Cancelled
        time.sleep(0.01)
    return TrainResult(adapter_id="none@00000000", metrics={})


class Leaks:
    """Sends requests and looks at what comes back."""

    def __init__(self, made: Requests, keys: list[Key], engine: FakeEngine) -> None:
        self.made, self.keys, self.engine = made, keys, engine
        self.succeeded: Counter[str] = Counter()
        self.found: list[str] = []

    def ask(self, route: str) -> None:
        key = self._key(NEEDS[route])
        before = len(self.engine.requests)
        reply, sent = self.made.random(key, route)
        if reply.is_success and not route.startswith("GET"):
            self.settle()
        told = reply.text + json.dumps(dict(reply.headers))
        told += json.dumps(self.engine.requests[before:])
        self.made.model.refresh()
        leaks = self.made.model.leaks(key, sent, told, keeps=not route.startswith("GET"))
        if leaks:
            self.found.append(f"{route} {reply.status_code} {leaks} to {key}: {sent} {told[:1500]}")
        assert reply.status_code != 500, f"{route} {sent} {reply.text}"
        self.succeeded[route] += reply.is_success

    def _key(self, needs: Needs) -> Key:
        rng = self.made.model.rng
        may = [key for key in self.keys if not needs.scopes or set(needs.scopes) & set(key.scopes)]
        return rng.choice(may if rng.random() < 0.9 else self.keys)

    def settle(self) -> None:
        def rest() -> bool:
            moving = jobs.c.status.in_(MOVING), jobs.c.lane != Lane.TRAIN
            with self.made.context.database.connect() as connection:
                return not connection.execute(jobs.select().where(*moving)).first()

        eventually(rest, within_s=30)


@pytest.fixture
def leaks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Leaks]:
    """Run a gateway for keys of two tenants, and give each tenant some of all."""
    monkeypatch.setattr("service.worker.handlers.train", trained)
    monkeypatch.setattr("knowledge.history.usage.DAY_S", 0.0)  # all documents are stale
    settings = Settings(
        home=tmp_path / "home",
        server=ServerSettings(put_wait_s=60.0),
        jobs=JobSettings(poll_s=0.01),
        records=RecordSettings(store_text=True),
    )
    settings.paths.make()
    rng = random.Random(seed := secrets.randbelow(2**32))
    print(f"seed {seed}")  # noqa: T201 - shown where the test fails
    with two_tenants(settings) as running:
        running.engine.switches.pieces = ("They are sold [1].",)  # answers cite what they rest on
        model = Model(running.context.database, rng)
        store = ApiKeys(running.context.database)
        every = tuple(Scope)
        roots = {name: make_key(store, NewKey("root", name, every)) for name in TENANTS}
        with httpx.Client(base_url=running.clients["acme"].base_url, timeout=60) as client:
            adapters = FakeAdapters(settings.paths.adapters)
            made = Requests(model, client, running.context, adapters, roots)
            eventually(lambda: client.get("/v1/models").status_code == 401)
            keys = list(roots.values())
            for tenant in TENANTS:
                keys += fill(made, store, tenant)
            leaks = Leaks(made, keys, running.engine)
            leaks.settle()
            yield leaks


def make_key(store: ApiKeys, new: NewKey) -> Key:
    made, secret = store.create(new)
    bound = made.caller()
    return Key(
        new.tenant,
        secret,
        tuple(Scope(each) for each in new.scopes),
        None if bound.may(Scope.LABELS) else bound.access_labels,  # it may name any
        bound.knowledge_bases,
        bound.use_cases,
    )


def fill(made: Requests, store: ApiKeys, tenant: str) -> list[Key]:
    """Give a tenant bases, documents, use cases and adapters; return twelve keys of it."""
    model, root, rng = made.model, made.roots[tenant], made.model.rng
    labels = model.labels[tenant] = tuple(model.label(tenant) for _ in range(3))
    places = made.ids[tenant, "base_id"] = [f"{tenant}-a", f"{tenant}-b"]
    for base in places:
        new = {"name": base, "id": base, "keep_versions": 3}
        assert made.send(root, "POST", "/v1/vector_stores", json=new)[0].is_success
        for number in range(8):
            name = f"{model.name(tenant)}.md"
            body = {"filename": name, "content": model.text(tenant)}
            guard = [labels[number % 4]] if number % 4 < 3 else []
            path = f"/v1/vector_stores/{base}/documents/{name}"
            sent = made.send(root, "PUT", path, json={**body, "access_labels": guard})
            assert sent[0].is_success, sent[0].text
        made.ids[tenant, "use_case_id"].append(made.use_case(root, base))
    made.adapter(tenant)
    rows = made.send(root, "POST", "/v1/files", **rows_file())[0].json()
    made.ids[tenant, "rows_id"].append(rows["id"])
    cases = list(made.ids[tenant, "use_case_id"])
    keys = []
    for number in range(12):
        scopes = SCOPES[number % 4]
        keys.append(
            make_key(
                store,
                NewKey(
                    f"key {number}",
                    tenant,
                    (*scopes, Scope.LABELS) if rng.random() < 0.1 else scopes,
                    use_cases=rng.choice([None, None, (rng.choice(cases),)]),
                    knowledge_bases=rng.choice([None, None, (rng.choice(places),)]),
                    access_labels=rng.choice([None, labels[:1], labels[1:2], labels[1:], labels]),
                ),
            )
        )
    return keys


def test_no_reply_names_what_its_key_may_not_know(leaks: Leaks) -> None:
    rng = leaks.made.model.rng
    for route in rng.choices(ROUTES, WEIGHTS, k=times(100, 10_000)):
        leaks.ask(route)
        assert len(leaks.found) < 20, "\n\n".join(leaks.found)
    assert leaks.found == [], "\n\n".join(leaks.found)
    assert sum(leaks.succeeded.values()) > 20
    if is_long():
        assert [route for route in ROUTES if not leaks.succeeded[route]] == []
