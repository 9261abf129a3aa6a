"""A whole gateway on small rooms and a fake engine, reached over real loopback HTTP."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest

from router import DEFAULT_POLICY_FILE, Policy, default_policy, load_policy
from service.access import LOOPBACK_CALLER
from service.app import create_app
from service.context import AppContext
from service.gateway import http_options
from service.home import Ports
from service.settings import JobSettings, RecordSettings, ServerSettings, Settings
from service.worker.lanes import Worker, build_worker
from tests.fakes.context import FakeAdapters, open_small_context
from tests.fakes.engine import FakeEngine, Served
from tests.service.waiting import eventually

RETURNS = "# Returns\n\nAn unused lamp can be returned within 30 days of delivery."


@dataclass
class Running:
    """A gateway with its worker and its fake engine."""

    client: httpx.Client
    engine: FakeEngine
    engine_server: Served
    settings: Settings
    ports: Ports
    context: AppContext
    adapters: FakeAdapters

    def ask(
        self,
        question: str = "Within how many days of delivery can a lamp be returned?",
        *,
        explain: bool = False,
        **body: object,
    ) -> httpx.Response:
        messages = [{"role": "user", "content": question}]
        params = {"explain": explain}
        return self.client.post("/chat", params=params, json={"messages": messages, **body})

    def put_use_case(self, **fields: object) -> None:
        body = {"id": "demo", "role": "You help.", "knowledge_bases": ["handbook"], **fields}
        reply = self.client.put("/use_cases/demo", json=body)
        assert reply.status_code == 200, reply.text

    def put_document(self, text: str = RETURNS, name: str = "returns.md") -> httpx.Response:
        body = {"filename": name, "content": text}
        return self.client.put(f"/v1/vector_stores/handbook/documents/{name}", json=body)

    def publish(
        self, task: str = "helpdesk", *, seed: int = 0, context_trained: bool = True
    ) -> str:
        folder = self.adapters.write(task, seed=seed, context_trained=context_trained)
        adapter = self.context.registry.register(folder, tenant=LOOPBACK_CALLER.tenant)
        reply = self.client.post(f"/adapters/{adapter.adapter_id}/publish")
        assert reply.status_code == 200, reply.text
        return adapter.adapter_id

    def prepare(self) -> str:
        """Knowledge, use case and a live adapter; returns the adapter's id."""
        self.client.post("/v1/vector_stores", json={"name": "handbook", "id": "handbook"})
        assert self.put_document().status_code == 200
        self.put_use_case(
            adapter="helpdesk",
            facts={"need": "both", "labelled_examples": 5000, "data_quality": "pass"},
        )
        return self.publish()


@pytest.fixture(autouse=True, scope="session")
def shipped_policy_read_once() -> Iterator[None]:
    """Read and prove the policy that ships once, not for every gateway; others as ever."""
    shipped = DEFAULT_POLICY_FILE.read_bytes()

    def load(path: Path) -> Policy:
        is_shipped = path.is_file() and path.read_bytes() == shipped
        return default_policy() if is_shipped else load_policy(path)

    patch = pytest.MonkeyPatch()
    patch.setattr("service.routing.policies.load_policy", load)
    yield
    patch.undo()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = Settings(
        home=tmp_path / "home",
        server=ServerSettings(
            max_body_bytes=200_000, put_wait_s=60.0
        ),  # parsing, on a busy machine
        jobs=JobSettings(poll_s=0.03),
        records=RecordSettings(),  # its own: a test that changes it changes no default
    )
    made.paths.make()
    return made


@pytest.fixture
def fake_engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def engine_server(fake_engine: FakeEngine) -> Iterator[Served]:
    with Served(fake_engine.app()) as server:
        yield server


@pytest.fixture
def running(
    settings: Settings, fake_engine: FakeEngine, engine_server: Served
) -> Iterator[Running]:
    ports = Ports(gateway=1, engine=engine_server.port, chroma=1)
    opened: list[AppContext] = []

    def opening(settings: Settings, ports: Ports) -> AppContext:
        opened.append(open_small_context(settings, ports))
        return opened[0]

    with Served(create_app(settings, ports, opening), **http_options(settings)) as gateway:
        reached = Ports(gateway.port, ports.engine, 1)
        worker = build_worker(replace(opened[0], ports=reached))
        with _working(worker), httpx.Client(base_url=gateway.url, timeout=15) as client:
            eventually(lambda: client.get("/ready").status_code == 200)
            yield Running(
                client,
                fake_engine,
                engine_server,
                settings,
                ports,
                opened[0],
                FakeAdapters(settings.paths.adapters),
            )


class _working:
    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._thread = threading.Thread(target=worker.run)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_exc: object) -> None:
        self._worker.stop()
        self._thread.join(10)
