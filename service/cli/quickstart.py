"""`fingerpost quickstart`: what `deploy/quickstart.sh` does once the environment is there.

From prepared models to a comparison, every step skipped when its result is already there. It knows
the demo content by its file names; everything it does, a user can do by the public commands.
"""

import hashlib
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from service.cli.adapters.serving import act
from service.cli.client import Gateway, segment
from service.cli.compare import print_table, read_rows, run_compare
from service.cli.kb.bases import add_documents, named_files
from service.cli.output import CommandFailed, JsonOption, Report, problem, reporting
from service.cli.processes import PortOption, start
from service.cli.train import read_keys, train_by_gateway
from service.cli.use_cases import apply_use_case, read_mapping
from service.settings import CHECKOUT, Settings, load_settings

DEMO = CHECKOUT / "deploy" / "demo"
BASE = "handbook"
USE_CASE = "demo"
RETURNS_QUESTION = "How many days do I have to return an order?"


class Stages:
    """What was done and how long it took."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._began = time.monotonic()
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, title: str) -> Iterator[None]:
        """Announce a stage and note its time."""
        self._report.say(f"== {title}")
        began = time.monotonic()
        yield
        took = time.monotonic() - began
        self.seconds[title] = round(took, 1)
        self._report.say(f"   {title}: {took:.0f} s (total {time.monotonic() - self._began:.0f} s)")


def quickstart(
    port: PortOption = None,
    no_train: Annotated[bool, typer.Option("--no-train", help="Leave the adapter out.")] = False,
    compare: Annotated[
        bool, typer.Option("--compare", help="Compare anew, even if a result is there.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Prepare models, start, load the demo, train, publish, compare; leave all of it running."""
    with reporting(as_json) as report:
        settings = load_settings()
        stages = Stages(report)
        with stages.stage("models"):
            prepare_models(settings, report)
        make_demo_default(settings, report)
        with stages.stage("start"):
            started = start(report, port=port)
        gateway = Gateway(started.url)
        with stages.stage("demo content"):
            load_demo(gateway, report)
        report.say(f"   answering at {started.url}")
        trained = False
        if not no_train:
            with stages.stage("adapter"):
                trained = make_adapter(gateway, report, settings)
        with stages.stage("comparison"):
            done = compare_demo(gateway, report, settings, anew=compare or trained)
        document = {"url": started.url, "stages_s": stages.seconds, "comparison": done}
        report.result(document, lambda out: print_table(out, done["summary"]))
        report.say(_farewell(started.url))


def prepare_models(settings: Settings, report: Report) -> None:
    """Make the embedded base model and embedder where they are missing, in a child process.

    Raises:
        CommandFailed: They could not be fetched or converted.
    """
    command = [sys.executable, "-m", "adapters", str(settings.paths.models)]
    settings.paths.make()
    with subprocess.Popen(
        command, cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as child:
        assert child.stdout is not None, "asked for above"
        lines: list[str] = []
        for line in child.stdout:
            lines = [*lines[-20:], line.rstrip()]
            report.say(f"   {line.rstrip()}")
    if child.returncode != 0:
        message = "The models could not be prepared:\n" + "\n".join(lines[-5:])
        raise CommandFailed(problem(message, code="models_not_prepared", status=500))


def make_demo_default(settings: Settings, report: Report) -> None:
    """Let a request that names no use case be the demo's, unless the home says otherwise."""
    if settings.default_use_case is not None:
        return
    file = settings.paths.config_file
    known = file.read_text(encoding="utf-8") if file.is_file() else ""
    file.write_text(f'default_use_case = "{USE_CASE}"\n{known}', encoding="utf-8")
    report.say(f"   {file.name}: requests that name no use case are for {USE_CASE}")


def load_demo(gateway: Gateway, report: Report) -> None:
    """Put the handbook and the use case; unchanged documents make no new version."""
    if not gateway.exists(f"/v1/vector_stores/{BASE}"):
        gateway.post("/v1/vector_stores", json={"name": BASE, "id": BASE})
    documents = add_documents(gateway, report, BASE, named_files([DEMO / "handbook"]))
    apply_use_case(gateway, read_mapping(DEMO / "use_case.yaml"))
    report.say(f"   {len(documents)} pages in the knowledge base {BASE}, use case demo")


def make_adapter(gateway: Gateway, report: Report, settings: Settings) -> bool:
    """Train and publish the demo adapter, unless one of the same rows and keys is live.

    Returns:
        Whether a new adapter serves now.
    """
    mark = settings.paths.run / "quickstart.train"
    config = DEMO / "train.yaml"
    digest = _digest(config, DEMO / "training.jsonl")
    task = str(read_mapping(config).get("task"))
    live = live_adapter(gateway, task)
    if live is not None and mark.is_file() and mark.read_text() == f"{digest} {live}":
        report.say(f"   {live} serves already")
        return False
    job = train_by_gateway(gateway, report, config, read_keys(config, None))
    adapter = str(job["adapter_id"])
    act(gateway, report, f"/adapters/{segment(adapter)}/publish")
    mark.write_text(f"{digest} {adapter}")
    report.say(f"   {adapter} is published")
    return True


def live_adapter(gateway: Gateway, task: str) -> str | None:
    """Return the id of the adapter that serves `task` now."""
    for row in gateway.get("/adapters")["data"]:
        if row["task"] == task and row["state"] == "live":
            return str(row["adapter_id"])
    return None


def compare_demo(gateway: Gateway, report: Report, settings: Settings, *, anew: bool) -> Any:
    """Return the comparison of the demo questions: the last one where it still holds."""
    mark = settings.paths.run / "quickstart.compare"
    use_case = read_mapping(DEMO / "use_case.yaml")
    live = live_adapter(gateway, str(use_case.get("adapter")))
    state = f"{_digest(DEMO / 'questions.jsonl', DEMO / 'use_case.yaml')} {live}"
    if not anew and mark.is_file() and mark.read_text() == state:
        last = gateway.get("/compare", params={"use_case": USE_CASE, "limit": 1})["data"]
        if last:
            report.say("   the last result still holds (--compare asks again)")
            return gateway.get(f"/compare/{segment(last[0]['id'])}")
    body: dict[str, Any] = {"use_case": USE_CASE, "rows": read_rows(DEMO / "questions.jsonl")}
    if live is None:
        report.say("   no adapter serves: only the strategies that need none are compared")
        body["strategies"] = ["prompt_only", "rag", "auto"]
    done = run_compare(gateway, report, body)
    mark.write_text(state)
    return done


def _digest(*files: Path) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _farewell(url: str) -> str:
    ask = f"curl -s {url}/chat --json"
    message = f'{{"messages":[{{"role":"user","content":"{RETURNS_QUESTION}"}}]'
    return f"""
Everything runs. The gateway is {url} (API: {url}/openapi.json)
  {ask} '{message}}}'
  {ask} '{message},"strategy":"rag"}}'
  {ask} '{message},"strategy":"hybrid"}}'
  curl -s {url}/route --json '{message}}}'
  .venv/bin/fingerpost ask "{RETURNS_QUESTION}" --stream
  .venv/bin/fingerpost status
  .venv/bin/fingerpost down      stops all of it"""
