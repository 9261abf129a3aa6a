"""A running home for tests on real engines: its client, its command line, what is put into it."""

import fcntl
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from adapters import RECORD_FILE
from service.home import Home
from service.home_models import EARLIER, NEW, HomeModels, write_models
from service.settings import CHECKOUT, Settings, home_folder
from service.supervision.processes import down, status
from tests.service.waiting import eventually

LOCK = Path(tempfile.gettempdir()) / "fingerpost-tests-engine.lock"
DEMO = CHECKOUT / "deploy" / "demo"
QUESTION = "How many days do I have to return an order?"


class Road:
    """A running home, its client, and its command line."""

    def __init__(self, home: Path, url: str, models: HomeModels) -> None:
        self.settings = Settings(home=home)
        self.models = models
        self.base = models.base_model
        self.client = httpx.Client(base_url=url, timeout=180)
        self.adapters: list[str] = []

    def ask(
        self, strategy: str, question: str = QUESTION, *, explain: bool = False, **body: Any
    ) -> dict[str, Any]:
        messages = [{"role": "user", "content": question}]
        request = {"messages": messages, "use_case": "demo", "strategy": strategy, **body}
        reply = self.client.post("/chat", params={"explain": explain}, json=request)
        assert reply.status_code == 200, reply.text
        answer: dict[str, Any] = reply.json()
        return answer

    def is_ready(self) -> bool:
        try:
            return self.client.get("/ready").status_code == 200
        except httpx.HTTPError:
            return False

    def pid(self, program: str) -> int:
        found = next(p for p in status(self.settings).processes if p.name == program)
        assert found.pid is not None
        return found.pid


def fingerpost(home: Path, *arguments: str) -> Any:
    """Run the command line with --json and return what it printed."""
    environment = {**os.environ, "FINGERPOST_HOME": str(home)}
    command = [sys.executable, "-m", "service.cli", *arguments, "--json"]
    done = subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def two_languages() -> HomeModels:
    """Return the models of a new home, or the small ones where no source had them."""
    prepared = home_folder() / "models"
    names = {NEW.base_model, NEW.embedder}
    missing = sorted(name for name in names if not (prepared / name / RECORD_FILE).is_file())
    return HomeModels(EARLIER.base_model, EARLIER.embedder, tuple(missing)) if missing else NEW


@contextmanager
def started(home: Path, models: HomeModels) -> Iterator[Road]:
    """Start everything in a new home and end it afterwards; one home at a time on a machine."""
    prepared = home_folder() / "models"
    (home / "models").mkdir()
    for model in (models.base_model, models.embedder):
        assert (prepared / model).is_dir(), "run `bash deploy/test.sh`: it prepares the models"
        (home / "models" / model).symlink_to(prepared / model)
    write_models(Home(home), models)
    with LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two engines and two trainings would time each other out
        try:
            up = fingerpost(home, "up", "--port", "0")
            road = Road(home, up["url"], models)
            with road.client:
                yield road
        finally:
            down(Home(home))


def put_handbook(road: Road) -> None:
    road.client.post("/v1/vector_stores", json={"name": "handbook", "id": "handbook"})
    for page in sorted((DEMO / "handbook").rglob("*.md")):
        name = str(page.relative_to(DEMO / "handbook"))
        put(road, name, page.read_text())


def put(road: Road, name: str, text: str) -> None:
    body = {"filename": Path(name).name, "content": text}
    reply = road.client.put(f"/v1/vector_stores/handbook/documents/{name}", json=body)
    assert reply.status_code in (200, 202), reply.text
    if reply.status_code == 202:
        location = reply.headers["location"]
        eventually(lambda: road.client.get(location).json()["status"] == "succeeded", within_s=60)


def start_training(
    road: Road, *, steps: int, rows: int = 56, file_name: str = "training_en.jsonl"
) -> str:
    lines = (DEMO / file_name).read_text().splitlines()[:rows]
    upload = {"file": ("rows.jsonl", "\n".join(lines).encode())}
    file = road.client.post("/v1/files", files=upload, data={"purpose": "fine-tune"}).json()
    config = {
        "max_steps": steps,
        "per_device_train_batch_size": 4,
        "gradient_accumulation_steps": 1,
        "learning_rate": 2e-3,
        "cutoff_len": 320,
        "lora_rank": 8,
    }
    body = {"training_file": file["id"], "suffix": "helpdesk", "config": config}
    reply = road.client.post("/v1/fine_tuning/jobs", json=body)
    assert reply.status_code == 202, reply.text
    return str(reply.json()["id"])


def training(road: Road, job_id: str) -> dict[str, Any]:
    found: dict[str, Any] = road.client.get(f"/v1/fine_tuning/jobs/{job_id}").json()
    return found
