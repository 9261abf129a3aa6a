"""A gateway that two tenants call, each by a client of its own, and a tenant with one of all."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from unittest.mock import patch

import httpx
from starlette.datastructures import Headers
from starlette.types import Scope

from service.access import LOOPBACK_CALLER, Caller
from service.api.access import gate
from service.api.access.authentication import caller_of
from service.api.http.scopes import Needs
from service.app import create_app
from service.context import AppContext
from service.home import Ports
from service.settings import Settings
from service.stores.tenancy.tenants import Tenants
from service.worker.lanes import Worker, build_worker
from tests.fakes.context import FakeAdapters, open_small_context
from tests.fakes.engine import FakeEngine, Served
from tests.service.waiting import eventually

ACME, BOLT = "acme", "bolt"
HEADER = "x-test-tenant"
WORDS = tuple(f"quixl{a}{b}" for a in "mnpqrt" for b in "bdfg")[:22]  # no stem, no other's word


@dataclass
class TwoTenants:
    """A running gateway; `clients` has one for each tenant."""

    clients: Mapping[str, httpx.Client]
    context: AppContext
    engine: FakeEngine
    settings: Settings
    worker: Worker


@contextmanager
def two_tenants(settings: Settings, *, works: bool = True) -> Iterator[TwoTenants]:
    """Run a gateway, and a worker if it `works`; the header of a request names its tenant."""
    opened: list[AppContext] = []
    engine = FakeEngine()

    def opening(settings: Settings, ports: Ports) -> AppContext:
        opened.append(open_small_context(settings, ports))
        return opened[0]

    with ExitStack() as stack:
        engine_server = stack.enter_context(Served(engine.app()))
        ports = Ports(gateway=1, engine=engine_server.port, chroma=1)
        stack.enter_context(callers_by_header())
        gateway = stack.enter_context(Served(create_app(settings, ports, opening)))
        for name in (ACME, BOLT):
            if name not in {each.tenant for each in Tenants(opened[0].database).list()}:
                Tenants(opened[0].database).create(name)
        clients = {
            name: stack.enter_context(
                httpx.Client(base_url=gateway.url, timeout=30, headers={HEADER: name})
            )
            for name in (ACME, BOLT)
        }
        reached = Ports(gateway.port, ports.engine, 1)
        worker = build_worker(replace(opened[0], ports=reached))
        if works:
            stack.enter_context(_working(worker))
        eventually(lambda: clients[ACME].get("/ready").status_code == 200)
        yield TwoTenants(clients, opened[0], engine, settings, worker)


@contextmanager
def callers_by_header() -> Iterator[None]:
    """Have the gate before every endpoint let a caller of the header's tenant do anything there."""

    async def by_header(scope: Scope, needs: Needs, context: AppContext) -> Caller:
        tenant = Headers(scope=scope).get(HEADER)
        if tenant is None:
            return await caller_of(scope, needs, context)
        return replace(LOOPBACK_CALLER, tenant=tenant)

    with patch.object(gate, "caller_of", by_header):
        yield


@contextmanager
def _working(worker: Worker) -> Iterator[None]:
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        yield
    finally:
        worker.stop()
        thread.join(10)


def fill(running: TwoTenants, tenant: str, words: tuple[str, ...], *, adapter: int) -> str:
    """Give `tenant` one of all that a tenant may have, with `words` in it; return a request id.

    The ids begin with the tenant's name, so that those of two tenants differ.
    """
    ask, word = running.clients[tenant], iter(words).__next__
    base, case = f"{tenant}-handbook", f"{tenant}-{word()}"
    store = {"name": f"about {word()}", "id": base, "keep_versions": 3}
    _ok(ask.post("/v1/vector_stores", json=store))
    name = f"{word()}.md"
    for text in (word(), word()):
        body = {"filename": name, "content": f"# {word()}\n\nThe {text} is sold."}
        _ok(ask.put(f"/v1/vector_stores/{base}/documents/{name}", json=body))
    guarded = {"filename": "guarded.md", "content": f"Only {word()}.", "access_labels": [word()]}
    _ok(ask.put(f"/v1/vector_stores/{base}/documents/guarded.md", json=guarded))
    gone = {"filename": "gone.md", "content": f"Once there was {word()} for all of them."}
    _ok(ask.put(f"/v1/vector_stores/{base}/documents/gone.md", json=gone))
    _ok(ask.delete(f"/v1/vector_stores/{base}/documents/gone.md"))
    folder = FakeAdapters(running.settings.paths.adapters).write(f"{tenant}{word()}", seed=adapter)
    (folder / "notes.txt").write_text(word())
    registered = running.context.registry.register(folder, tenant=tenant)
    _ok(ask.post(f"/adapters/{registered.adapter_id}/publish"))
    use_case = {"id": case, "role": f"You are {word()}.", "knowledge_bases": [base]}
    _ok(ask.put(f"/use_cases/{case}", json={**use_case, "adapter": registered.task}))
    upload = json.dumps({"prompt": word(), "completion": word()}).encode()
    form = {"purpose": "fine-tune"}
    sent = ask.post("/v1/files", data=form, files={"file": (f"{word()}.jsonl", upload)})
    checked = {"file_id": _ok(sent)["id"], "domain": word()}
    _ok(ask.post(f"/use_cases/{case}/data_checks", json=checked))
    turns = [{"role": "user", "content": word()}, {"role": "assistant", "content": word()}]
    row = {"messages": turns, "file": "rows.jsonl", "line": 1}
    _ok(ask.post("/review_items", json={"batch": f"{tenant}-batch", "rows": [row]}))
    question = {
        "messages": [{"role": "user", "content": f"What is {word()}?"}],
        "user": f"{tenant}-ann",
    }
    answered = ask.post("/chat", json={**question, "use_case": case})
    _ok(answered)
    return answered.headers["x-request-id"]


def _ok(reply: httpx.Response) -> dict[str, object]:
    assert reply.status_code in (200, 201, 202), (reply.request.url, reply.text)
    found: dict[str, object] = reply.json()
    return found


def files_with(folder: Path, *texts: str) -> dict[str, list[str]]:
    """Return each of `texts` that a file below `folder` holds, as bytes or in its name."""
    found: dict[str, list[str]] = {}
    for path in sorted(folder.rglob("*")):
        content = path.read_bytes() if path.is_file() else b""
        for text in texts:
            if text.encode() in content or text in path.name:
                found.setdefault(text, []).append(str(path.relative_to(folder)))
    return found
