"""A whole gateway on a real embedder that questions are asked of, and what its model is shown.

It knows how documents come in, how a question is asked, and how a shell script of commands is run
beside it. The model server is a stub: what it was sent is what a model would have read. It does not
know which answers are right.
"""

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from knowledge import ChromaIndex, Embedder, Knowledge
from service.app import create_app
from service.context import AppContext, build_context
from service.home import Ports
from service.settings import JobSettings, ServerSettings, Settings
from service.worker.lanes import Worker, build_worker
from tests.fakes.context import open_migrated
from tests.fakes.engine import FakeEngine, Served, Switches

STORES = "/v1/vector_stores"
PASSAGE = re.compile(r"^\[\d{1,3}\] ", re.MULTILINE)  # how a prompt numbers its passages
QUESTION = "\n\nQuestion: "
# Whatever is asked: so each passage of the prompt is cited.
CITES_ALL = ("As the passages say ", *(f"[{n}]" for n in range(1, 51)))
SCRIPT_S = 120.0
NO_TEXT = frozenset({"text", "content"})


@dataclass(frozen=True, slots=True)
class Shown:
    """A passage as it is shown: its text, what stands beside it, the pages it names."""

    text: str
    beside: str = ""
    pages: frozenset[int] = frozenset()
    document: str = ""

    @property
    def whole(self) -> str:
        """All of it, as one text."""
        return f"{self.beside} {self.text}"


@dataclass(frozen=True, slots=True)
class Seen:
    """What came out: the whole text, its passages, and the HTTP status or why there is nothing."""

    text: str
    passages: tuple[Shown, ...] = ()
    status: int = 200
    chunks: int | None = None
    nothing: str = ""


@dataclass
class AskedGateway:
    """A running gateway."""

    client: httpx.Client
    home: Path
    engine: FakeEngine = field(default_factory=FakeEngine)

    def put(
        self, base: str, name: str, content: bytes, attributes: Mapping[str, object] | None = None
    ) -> dict[str, Any]:
        """Put a document into a base, which is made where it is not there."""
        self.client.post(STORES, json={"name": base, "id": base})
        reply = self.client.put(
            f"{STORES}/{base}/documents/{name}",
            files={"file": (name.rpartition("/")[2], content)},
            data={"attributes": json.dumps(attributes)} if attributes else None,
        )
        reply.raise_for_status()
        return dict(reply.json())

    def search(self, base: str, question: str) -> Seen:
        """Return the passages above the floor."""
        reply = self.client.post(f"{STORES}/{base}/search", json={"query": question})
        found = reply.raise_for_status().json()["data"]
        shown = tuple(shown_by_reply(row) for row in found if row["above_floor"])
        best = max((row["relevance"] for row in found), default=0.0)
        nothing = "" if shown else f"none above the floor (best relevance {best:.2f})"
        return Seen("\n".join(p.whole for p in shown), shown, nothing=nothing)

    def ask(self, base: str, question: str) -> Seen:
        """Return the passages that the model is shown, each with the pages that clients see."""
        body = {"strategy": "rag", "knowledge_bases": [base], "stream": True}
        asked = {**body, "messages": [{"role": "user", "content": question}]}
        seen, reply = self._sent("/chat", asked)
        told = [shown_by_reply(row) for row in passages_event(reply.text)]
        pages = [*(one.pages for one in told), *[frozenset[int]()] * len(seen.passages)]
        shown = zip(seen.passages, pages, strict=False)
        return replace(seen, passages=tuple(replace(one, pages=named) for one, named in shown))

    def post(self, path: str, body: dict[str, Any]) -> Seen:
        """Return what the model is shown for a request; without a model, the reply."""
        seen, reply = self._sent(path, body)
        return seen if seen.passages else replace(seen, text=reply.text, nothing="")

    def run(self, script: str) -> Seen:
        """Return what a shell script prints, and what the model was shown on the way."""
        self.engine.requests.clear()
        address = str(self.client.base_url).rstrip("/").removeprefix("http://")
        environment = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "FINGERPOST_HOME": str(self.home),
            "TMPDIR": str(self.home),
            "no_proxy": "*",
            "COLUMNS": "300",  # lines are not folded
        }
        done = subprocess.run(
            ["bash", "-c", script.replace("localhost:8080", address)],
            env=environment,
            capture_output=True,
            text=True,
            timeout=SCRIPT_S,
            check=False,
        )
        said = f"{done.stdout}\n{done.stderr}"
        return Seen(said, self._shown(), nothing="" if done.stdout else "it printed nothing")

    def _sent(self, path: str, body: dict[str, Any]) -> tuple[Seen, httpx.Response]:
        self.engine.requests.clear()
        reply = self.client.post(path, json=body)
        shown = self._shown()
        nothing = "" if shown else f"nothing is shown to a model (HTTP {reply.status_code})"
        text = "\n".join(passage.text for passage in shown)
        return Seen(text, shown, status=reply.status_code, nothing=nothing), reply

    def _shown(self) -> tuple[Shown, ...]:
        """Return the passages of the last prompt."""
        if not self.engine.requests:
            return ()
        messages = self.engine.requests[-1]["messages"]
        passages = messages[-1]["content"].rpartition(QUESTION)[0]
        return tuple(Shown(text.strip()) for text in PASSAGE.split(passages)[1:])


def shown_by_reply(row: Mapping[str, Any]) -> Shown:
    """Return a passage of a reply."""
    beside = " ".join(
        str(part)
        for key, value in row.items()
        if key not in NO_TEXT
        for part in (value if isinstance(value, list) else [value])
        if isinstance(part, str)
    )
    numbers = [
        int(number)
        for key, value in row.items()
        if "page" in key
        for number in re.findall(r"\d+", str(value))
    ]
    pages = frozenset(range(min(numbers), max(numbers) + 1)) if numbers else frozenset[int]()
    return Shown(row["text"], beside, pages, row.get("external_id", ""))


def passages_event(stream: str) -> list[dict[str, Any]]:
    """Return the rows of a stream's event `passages`."""
    found = re.search(r"^event: passages\r?\ndata: (.+)$", stream, re.MULTILINE)
    return list(json.loads(found[1])["passages"]) if found else []


@contextmanager
def asked_gateway(embedder: Embedder) -> Iterator[AskedGateway]:
    """Yield a gateway with its worker, in a temporary home that the command line finds too."""
    engine = FakeEngine(switches=Switches(pieces=CITES_ALL))
    with TemporaryDirectory() as name, Served(engine.app()) as model_server:
        settings = Settings(
            home=Path(name), server=ServerSettings(put_wait_s=60), jobs=JobSettings(poll_s=0.03)
        )
        settings.paths.make()
        ports = Ports(gateway=1, engine=model_server.port, chroma=1)
        opened: list[AppContext] = []

        def opening(settings: Settings, ports: Ports) -> AppContext:
            opened.append(_context(settings, ports, embedder))
            return opened[0]

        with Served(create_app(settings, ports, opening)) as gateway:
            reached = replace(ports, gateway=gateway.port)
            settings.paths.write_ports(reached)
            worker = build_worker(replace(opened[0], ports=reached))
            with _working(worker), httpx.Client(base_url=gateway.url, timeout=120) as client:
                yield AskedGateway(client, settings.home, engine)


def _context(settings: Settings, ports: Ports, embedder: Embedder) -> AppContext:
    database = open_migrated(settings.database_url)
    index = ChromaIndex.open(settings.paths.chroma)
    knowledge = Knowledge(database, index, embedder, settings.knowledge)
    return build_context(settings, ports, database, knowledge)


@contextmanager
def _working(worker: Worker) -> Iterator[None]:
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        yield
    finally:
        worker.stop()
        thread.join(10)
