"""Whatever one tenant asks, it is told nothing of another's and changes nothing of it.

A model of who owns what is made from the rows; made-up requests name ids of the caller, of the
other tenant and of nobody. 100 operations here, 10,000 with `--long`.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from adapters import AdapterError
from knowledge import KnowledgeError
from service.app import ENDPOINTS
from service.errors import NotFound, ServiceError
from service.settings import JobSettings, RecordSettings, ServerSettings, Settings
from service.stores.jobs import ENDED, jobs
from service.stores.migrations import METADATAS
from service.stores.review.items import Decision
from service.stores.tenancy.rows import owned_tables, read_rows
from tests.fakes.two_tenants import ACME, BOLT, WORDS, TwoTenants, fill, two_tenants
from tests.repetition import times
from tests.service.waiting import eventually

OTHER = {ACME: BOLT, BOLT: ACME}
SAID = {ACME: WORDS, BOLT: tuple(word.replace("quixl", "vombat") for word in WORDS)}
OWNED = owned_tables(METADATAS)
TURNS = [{"role": "user", "content": "Hello!"}, {"role": "assistant", "content": "Hello."}]
REVIEWED: dict[str, Any] = {"messages": TURNS, "file": "rows.jsonl", "line": 1}
WRITTEN_BEHIND = {"records"}  # 0.25 s after an answer: of these, none may change or go
LISTEN = ("/docs", "/docs.js", "/docs.css", "/sources.css")  # no data of a tenant
QUESTION = [{"role": "user", "content": "What is sold there?"}]
pytestmark = pytest.mark.timeout(120, func_only=True)  # seconds each, of a busy machine
RUN = settings(
    max_examples=times(100, 10_000),
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def ids_of(running: TwoTenants, tenant: str, request_id: str) -> dict[str, str]:
    """Return one id of each kind that `tenant` has, by the parameter that names it."""
    client, context = running.clients[tenant], running.context
    base = f"{tenant}-handbook"
    documents = client.get(f"/v1/vector_stores/{base}/documents").json()["data"]
    use_case = client.get("/use_cases").json()["data"][0]["id"]
    adapter = context.registry.list(tenant=tenant)[0]
    form = {"purpose": "assistants"}
    sent = {"file": (f"{tenant}-notes.md", b"# Notes\n\nNotes are sold.")}
    file_id = client.post("/v1/files", data=form, files=sent).json()["id"]
    batch = client.post(f"/v1/vector_stores/{base}/file_batches", json={"file_ids": [file_id]})
    checks = client.get(f"/use_cases/{use_case}/data_checks").json()["data"]
    sync = client.post(f"/v1/vector_stores/{base}/syncs", json={"source": f"/{tenant}/x"})
    return {
        "base_id": base,
        "external_id": documents[0]["external_id"],
        "document": documents[0]["external_id"],
        "document_id": documents[0]["document_id"],
        "use_case_id": use_case,
        "adapter_id": adapter.adapter_id,
        "name": adapter.adapter_id,
        "model": adapter.adapter_id,
        "task": adapter.task,
        "file_id": file_id,
        "batch_id": batch.json()["id"],
        "check_id": checks[0]["id"],
        "job_id": client.get("/jobs").json()["data"][0]["id"],
        "request_id": request_id,
        "item_id": client.get("/review_items").json()["data"][0]["id"],
        "batch": f"{tenant}-batch",
        "sync_id": str(sync.json().get("id", "none")),
    }


NOBODYS = {
    "base_id": "nobody-handbook",
    "use_case_id": "nobody-case",
    "adapter_id": "nobody@12345678",
    "name": "nobody@12345678",
    "model": "nobody@12345678",
    "file_id": f"file-{'0' * 32}",
    "job_id": f"job_{'0' * 32}",
}


@dataclass
class Model:
    """Who owns what, and what each was seen to make under a name that the other has as well."""

    running: TwoTenants
    ids: dict[str, dict[str, str]]
    made: dict[str, str] = field(default_factory=lambda: {ACME: "", BOLT: ""})
    asked: Counter[str] = field(default_factory=Counter)

    def rows(self, tenant: str) -> dict[str, set[str]]:
        """Return a digest of every row of a tenant, by table."""
        found = {}
        with self.running.context.database.connect() as connection:
            for owned in OWNED:
                rows = read_rows(connection, owned, tenant)
                found[owned.table.name] = {
                    hashlib.sha256(repr(sorted(row.items())).encode()).hexdigest() for row in rows
                }
        return found

    def settle(self) -> None:
        """Wait until no job runs."""
        eventually(self._rest, within_s=30)

    def _rest(self) -> bool:
        with self.running.context.database.connect() as connection:
            return not connection.execute(jobs.select().where(jobs.c.status.not_in(ENDED))).first()

    def secrets_of(self, tenant: str) -> tuple[str, ...]:
        """Return what only the tenant may be told: its words, its ids and its name."""
        return (*SAID[tenant], *self.ids[tenant].values(), tenant)


@pytest.fixture
def model(tmp_path: Path) -> Iterator[Model]:
    """Run a gateway whose two tenants have one of all."""
    made = Settings(
        home=tmp_path / "home",
        server=ServerSettings(put_wait_s=60.0),
        jobs=JobSettings(poll_s=0.01),
        records=RecordSettings(store_text=True),
    )
    made.paths.make()
    with two_tenants(made) as running:
        asked = {
            tenant: fill(running, tenant, SAID[tenant][:20], adapter=number)
            for number, tenant in enumerate(OTHER)
        }
        ids = {each: ids_of(running, each, asked[each]) for each in OTHER}
        model = Model(running, ids)
        model.settle()
        yield model


def bodies(ids: dict[str, str]) -> dict[str, Any]:
    """Return a body for each path that takes one, which names `ids`."""
    base, case, adapter = ids["base_id"], ids["use_case_id"], ids["adapter_id"]
    asked = {"messages": QUESTION, "use_case": case, "knowledge_bases": [base]}
    rows = {"id": "q", "question": "Hello!", "kind": "chitchat"}
    return {
        "/chat": asked,
        "/route": asked,
        "/v1/chat/completions": {**asked, "model": adapter},
        "/v1/responses": {"input": "What is sold?", "model": adapter, "use_case": case},
        "/v1/vector_stores": {"name": "mine", "id": base},
        "/v1/vector_stores/{base_id}": {"name": "changed"},
        "/v1/vector_stores/{base_id}/search": {"query": "What is sold there?"},
        "/v1/vector_stores/{base_id}/files": {"file_id": ids["file_id"]},
        "/v1/vector_stores/{base_id}/file_batches": {"file_ids": [ids["file_id"]]},
        "/v1/vector_stores/{base_id}/documents/{external_id}": {
            "filename": "new.md",
            "content": "A new one is sold.",
        },
        "/use_cases/{use_case_id}": {"id": case, "knowledge_bases": [base], "adapter": adapter},
        "/use_cases/{use_case_id}/data_checks": {"file_id": ids["file_id"]},
        "/review_items": {"batch": ids["batch"], "rows": [REVIEWED]},
        "/review_items/{item_id}/edit": {"messages": REVIEWED["messages"], "again": True},
        "/v1/fine_tuning/jobs": {"training_file": ids["file_id"], "model": "none"},
        "/compare": {"use_case": case, "rows": [rows], "strategies": ["prompt_only"]},
        "/advise": {"use_case": case},
    }


OPERATIONS = [
    (method, route.path)
    for route in ENDPOINTS.routes
    if isinstance(route, APIRoute) and not route.path.endswith(LISTEN)
    for method in sorted(route.methods - {"HEAD", "OPTIONS"})
]
# What takes something away is asked for of the other and of nobody: the caller keeps its own.
DESTROYS = ("retire", "withdraw", "rollback", "cancel", "pause", "resume", "rebuild", "reindex")


def test_no_request_is_told_of_another_tenant_or_changes_anything_of_it(model: Model) -> None:
    @RUN
    @given(
        tenant=st.sampled_from(sorted(OTHER)),
        operation=st.sampled_from(OPERATIONS),
        whose=st.sampled_from(["other", "other", "own", "nobody"]),
        inner=st.sampled_from(["other", "own"]),
    )
    def check(tenant: str, operation: tuple[str, str], whose: str, inner: str) -> None:
        try_out(model, tenant, operation, whose, inner=inner)

    check()
    assert model.asked["other 4xx"] > 0
    assert model.asked["own 2xx"] > 0


def test_every_endpoint_tells_and_changes_its_caller_s_own_alone(model: Model) -> None:
    for operation in OPERATIONS:
        for whose in ("own", "other"):
            try_out(model, ACME, operation, whose, inner=whose)
    assert model.asked["own 2xx"] > 30


def try_out(
    model: Model, tenant: str, operation: tuple[str, str], whose: str, *, inner: str
) -> None:
    """Ask one endpoint for one tenant, and look at the reply and at the other's rows.

    Args:
        model: Who owns what.
        tenant: Who asks.
        operation: Method and path.
        whose: Whose ids stand in the path: own, other or nobody.
        inner: Whose stand in the body: own or other.
    """
    method, path = operation
    other = OTHER[tenant]
    if whose == "own" and (method == "DELETE" or path.endswith(DESTROYS)):
        whose = "nobody"
    ids = {"own": model.ids[tenant], "other": model.ids[other], "nobody": {}}
    before = model.rows(other)
    reply, sent = send(model, tenant, method, path, ids[whose], ids[inner])
    model.settle()
    where = f"{tenant}: {method} {path} of {whose}, {inner}: {reply.status_code}"
    assert reply.status_code < 500 or reply.status_code == 503, f"{where} {reply.text}"
    text = reply.text + json.dumps(dict(reply.headers))
    model.asked[f"{whose} {reply.status_code // 100}xx"] += 1
    told = [one for one in model.secrets_of(other) if holds(text, one)]
    allowed = sent + model.made[tenant]
    assert [one for one in told if not holds(allowed, one)] == [], f"{where} {text}"
    if reply.is_success and method != "GET":
        model.made[tenant] += sent
    unchanged(before, model.rows(other), where)


def send(
    model: Model, tenant: str, method: str, path: str, named: dict[str, str], inner: dict[str, str]
) -> tuple[httpx.Response, str]:
    """Send one request; return the reply and all that was sent."""
    parameters = re.findall(r"{(\w+)(?::path)?}", path)
    values = {name: named.get(name) or NOBODYS.get(name, "nobody") for name in parameters}
    url = re.sub(r"{(\w+)(?::path)?}", lambda found: values[found[1]], path)
    body = (
        bodies(inner).get(path.replace(":path", ""), {})
        if method in ("POST", "PUT", "PATCH")
        else None
    )
    reply = model.running.clients[tenant].request(method, url, json=body)
    return reply, f"{url} {json.dumps(body)}"


def holds(text: str, secret: str) -> bool:
    """Return whether `text` has `secret` as a whole word."""
    return re.search(rf"(?<![\w-]){re.escape(secret)}(?![\w-])", text) is not None


def unchanged(before: dict[str, set[str]], after: dict[str, set[str]], where: str) -> None:
    for table, rows in before.items():
        left = rows - after[table]
        assert not left, f"{where}: {len(left)} rows of {table} changed or went"
        if table not in WRITTEN_BEHIND:
            assert after[table] == rows, f"{where}: rows came to {table}"


def test_an_id_of_another_tenant_answers_as_one_of_nobody(model: Model) -> None:
    differ = []
    mine, foreign = model.ids[ACME], model.ids[BOLT]
    for method, path in OPERATIONS:
        parameters = re.findall(r"{(\w+)(?::path)?}", path)
        if not parameters or (method, path) == ("PUT", "/use_cases/{use_case_id}"):
            continue  # a name of one's own is made there
        there, _ = send(model, ACME, method, path, foreign, mine)
        missing, _ = send(model, ACME, method, path, {}, mine)
        if there.status_code != missing.status_code or there.status_code < 400:
            differ.append(f"{method} {path}: {there.status_code} {missing.status_code}")
    assert differ == []


def calls(model: Model, tenant: str, ids: dict[str, str]) -> dict[str, Any]:
    """Return each way to reach something in the stores by its id, as calls for `tenant`."""
    context = model.running.context
    base, name = ids["base_id"], ids["external_id"]
    knowledge, registry, store = context.knowledge, context.registry, context.jobs
    mine: dict[str, Any] = {"tenant": tenant}
    return {
        "file": lambda: context.files.get(ids["file_id"], **mine),
        "file content": lambda: context.files.content(ids["file_id"], **mine),
        "files": lambda: context.files.ids_by_content(**mine),
        "job": lambda: store.get(ids["job_id"], **mine),
        "payload": lambda: store.payload(ids["job_id"], **mine),
        "cancel": lambda: store.cancel(ids["job_id"], **mine),
        "pause": lambda: store.pause(ids["job_id"], **mine),
        "resume": lambda: store.resume(ids["job_id"], **mine),
        "jobs": lambda: store.list(**mine, after=ids["job_id"]),
        "batch": lambda: store.list_batch(ids["batch_id"], **mine),
        "subject": lambda: store.list_by_subject(f"{base}/{name}", **mine, limit=9),
        "record": lambda: context.records.get(ids["request_id"], **mine),
        "use case": lambda: context.use_cases.get(ids["use_case_id"], **mine),
        "delete use case": lambda: context.use_cases.delete(ids["use_case_id"], **mine),
        "check": lambda: context.data_checks.get(
            ids["check_id"], use_case=ids["use_case_id"], **mine
        ),
        "checks": lambda: context.data_checks.list(ids["use_case_id"], **mine, limit=9),
        "review item": lambda: context.review_items.get(ids["item_id"], **mine),
        "review items": lambda: context.review_items.list(**mine, batch=ids["batch"]),
        "decide": lambda: context.review_items.decide(
            ids["item_id"], Decision("rejected", None, again=True), **mine
        ),
        "review batches": lambda: context.review_items.count(**mine),
        "delete review batch": lambda: context.review_items.delete_batch(ids["batch"], **mine),
        "comparisons": lambda: context.comparisons.list(use_case=ids["use_case_id"], **mine),
        "adapter": lambda: registry.get(ids["adapter_id"], **mine),
        "resolve": lambda: registry.resolve(ids["task"], **mine),
        "adapter's history": lambda: registry.history(ids["adapter_id"], **mine),
        "alias": lambda: registry.alias(ids["task"], **mine),
        "publish": lambda: registry.publish(ids["adapter_id"], **mine),
        "rollback": lambda: registry.rollback(ids["task"], **mine),
        "withdraw": lambda: registry.withdraw(ids["task"], **mine),
        "retire": lambda: registry.retire(ids["adapter_id"], **mine),
        "base": lambda: knowledge.get_base(base, **mine),
        "delete base": lambda: knowledge.delete_base(base, **mine),
        "change base": lambda: knowledge.change_base(base, **mine, ocr="never"),
        "documents": lambda: knowledge.list_documents(base, **mine),
        "document": lambda: knowledge.get_document(base, name, **mine),
        "text": lambda: knowledge.document_text(base, name, **mine),
        "delete document": lambda: knowledge.delete_document(base, name, **mine),
        "write": lambda: knowledge.ingest(base, name, "a.md", b"Mine.", **mine),
        "search": lambda: knowledge.retrieve("What is sold?", base_ids=[base], top_k=5, **mine),
        "measure": lambda: knowledge.measure([base], **mine),
        "rebuild": lambda: knowledge.rebuild(base, **mine),
        "reconcile": lambda: knowledge.reconcile(base, **mine),
        "check index": lambda: knowledge.check(base, **mine),
        "versions": lambda: knowledge.versions.history(base, name, **mine),
        "keep": lambda: knowledge.versions.keep(base, 5, **mine),
        "version": lambda: knowledge.versions.text(base, name, 1, **mine),
        "diff": lambda: knowledge.versions.diff(base, name, 1, 2, **mine),
        "stale": lambda: knowledge.usage.stale(base, **mine, days=1),
        "roll back": lambda: knowledge.versions.roll_back(base, name, 1, **mine),
        "syncs": lambda: knowledge.syncs.list(base, **mine),
        "cited": lambda: knowledge.usage.note_cited([ids["document_id"]], **mine, at=9e9),
    }


def test_no_call_of_a_store_reaches_what_another_tenant_has(model: Model) -> None:
    names = sorted(calls(model, ACME, model.ids[BOLT]))

    @RUN
    @given(tenant=st.sampled_from(sorted(OTHER)), name=st.sampled_from(names))
    def check(tenant: str, name: str) -> None:
        other = OTHER[tenant]
        before = model.rows(other)
        found: Any = ()
        with suppress(NotFound, KnowledgeError, AdapterError, ServiceError):
            found = calls(model, tenant, model.ids[other])[name]()
        told = [one for one in model.secrets_of(other) if holds(repr(found), one)]
        assert told == [], f"{name} of {other} for {tenant}: {found!r}"
        unchanged(before, model.rows(other), name)

    check()
