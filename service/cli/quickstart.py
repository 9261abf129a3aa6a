"""`fingerpost quickstart`: what `deploy/quickstart.sh` does once the environment is installed.

From preparing models to a comparison; a step is skipped if its result already exists. It knows the
demo content by its file names; everything it does, a user can do with the public commands.
"""

import hashlib
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

import typer

from adapters import MINILM, QWEN, RECORD_FILE, SMOLLM2, describe_base_model
from service.api.schemas.shapes import JsonObject, ListReply
from service.cli.adapters.serving import change_adapter
from service.cli.client import Gateway, Received, segment
from service.cli.compare import print_table, read_rows, run_compare, summary_of
from service.cli.kb.adding import add_documents
from service.cli.kb.bases import STORES
from service.cli.kb.folders import find_files
from service.cli.kb.rules import AccessRules
from service.cli.language import LangOption, use_language
from service.cli.output import CommandFailed, JsonOption, Output, command_output
from service.cli.processes import PortOption, start
from service.cli.replies import AdaptersReply, ComparisonReply, IdReply
from service.cli.train.by_gateway import read_row_files, train_by_gateway
from service.cli.train.keys import read_keys
from service.cli.use_cases import apply_use_case, read_mapping
from service.home import Home
from service.home_models import NEW, HomeModels, keep_models, write_models
from service.messages.spoken import say
from service.settings import CHECKOUT, Settings, home_folder, load_settings

SmallOrFull = Literal["qwen", "smollm2"]
MODELS = {"qwen": QWEN.id, "smollm2": SMOLLM2.id}
DEMO = CHECKOUT / "deploy" / "demo"
BASE = "handbook"
USE_CASE = "demo"
RETURNS_QUESTION = "How many days do I have to return an order?"


@dataclass(frozen=True, slots=True)
class DemoFiles:
    """The training configuration and the questions that the demo uses."""

    training: Path
    questions: tuple[Path, ...]

    @classmethod
    def of(cls, base_model: Path, *, full: bool) -> "DemoFiles":
        """Return the files in the languages that the base model reads; English alone, or both.

        Args:
            base_model: Its folder.
            full: Whether to train on every row, not on those that fit into some ten minutes.
        """
        languages = describe_base_model(base_model).languages
        if languages and "zh" not in languages:
            return cls(DEMO / "train_en.yaml", (DEMO / "questions.jsonl",))
        training = DEMO / ("train_full.yaml" if full else "train.yaml")
        return cls(training, (DEMO / "questions.jsonl", DEMO / "questions_zh.jsonl"))


class Stages:
    """The stages of the quickstart and the seconds that each took."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._began = time.monotonic()
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, title: str) -> Iterator[None]:
        """Print a stage's title and record the time it takes."""
        named = say(f"quickstart.{title.replace(' ', '_')}")
        self._output.info(f"== {named}")
        began = time.monotonic()
        yield
        took = time.monotonic() - began
        self.seconds[title] = round(took, 1)
        total = time.monotonic() - self._began
        self._output.info(say("quickstart.took", title=named, seconds=took, total=total))


def quickstart(
    port: PortOption = None,
    *,
    no_train: Annotated[bool, typer.Option("--no-train", help="Do not train an adapter.")] = False,
    compare: Annotated[
        bool, typer.Option("--compare", help="Run the comparison again even if a result exists.")
    ] = False,
    full: Annotated[
        bool, typer.Option("--full", help="Train on every row of the demo, not on a third of them.")
    ] = False,
    model: Annotated[
        SmallOrFull, typer.Option("--model", help="Base model of a new home.")
    ] = "qwen",
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """Prepare models, start, load the demo, train, publish and compare; then keep running."""
    use_language(lang)
    with command_output(as_json) as output:
        stages = Stages(output)
        with stages.stage("models"):
            models = prepare_models(Home(home_folder()), output, base_model=MODELS[model])
        settings = load_settings()
        files = DemoFiles.of(settings.base_model_path, full=full)
        make_demo_default(settings, output)
        with stages.stage("start"):
            started = start(output, port=port)
        gateway = Gateway.find(None)
        with stages.stage("demo content"):
            load_demo(gateway, output)
        output.info(say("quickstart.answering", url=started.url))
        trained = False
        if not no_train:
            with stages.stage("adapter"):
                trained = make_adapter(gateway, output, settings, config=files.training)
        with stages.stage("comparison"):
            done = compare_demo(
                gateway, output, settings, files=files.questions, anew=compare or trained
            )
        document: JsonObject = {
            "url": started.url,
            "stages_s": {**stages.seconds},
            "comparison": done.body,
        }
        output.result(document, lambda out: print_table(out, summary_of(done)))
        if models.missing:
            output.info(f"   {models.note}")
        output.info(_next_steps(started.url))


def prepare_models(home: Home, output: Output, *, base_model: str) -> HomeModels:
    """Prepare the embedded models of a home if they are missing, in a child process.

    A home of before keeps its models. Where no source has one, the small one of its kind serves.

    Args:
        home: Where `models/` and `models.json` are.
        output: Told what is being done.
        base_model: Of a new home.

    Raises:
        CommandFailed: They could not be downloaded or converted.
    """
    home.make()
    is_made = home.models_file.is_file() or home.database.is_file()
    is_new = not is_made and load_settings().state.url is None
    wanted = replace(NEW, base_model=base_model) if is_new else keep_models(home)
    _run_preparation(home, output, wanted)
    found = HomeModels(
        _prepared(home, wanted.base_model) or SMOLLM2.id,
        _prepared(home, wanted.embedder) or MINILM.id,
        missing=wanted.missing,
    )
    if is_new:
        absent = {wanted.base_model, wanted.embedder} - {found.base_model, found.embedder}
        found = replace(found, missing=tuple(sorted(absent)))
        write_models(home, found)
    return found


def _prepared(home: Home, model: str) -> str | None:
    return model if (home.models / model / RECORD_FILE).is_file() else None


def _run_preparation(home: Home, output: Output, wanted: HomeModels) -> None:
    named = ["--base-model", wanted.base_model, "--embedder", wanted.embedder]
    command = [sys.executable, "-m", "adapters", str(home.models), *named]
    with subprocess.Popen(
        command, cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as child:
        assert child.stdout is not None, "asked for above"
        lines: list[str] = []
        for line in child.stdout:
            lines = [*lines[-20:], line.rstrip()]
            output.info(f"   {line.rstrip()}")
    if child.returncode != 0:
        message = say("quickstart.models_failed", lines="\n".join(lines[-5:]))
        raise CommandFailed(message, code="models_not_prepared", status=500)


def make_demo_default(settings: Settings, output: Output) -> None:
    """Make the demo the default use case, unless the home has another default."""
    if settings.default_use_case is not None:
        return
    file = settings.paths.config_file
    known = file.read_text(encoding="utf-8") if file.is_file() else ""
    file.write_text(f'default_use_case = "{USE_CASE}"\n{known}', encoding="utf-8")
    output.info(say("quickstart.default_use_case", file=file.name, use_case=USE_CASE))


def load_demo(gateway: Gateway, output: Output) -> None:
    """Add the handbook and the use case; unchanged documents get no new version."""
    if not gateway.exists(f"{STORES}/{BASE}"):
        gateway.post(STORES, IdReply, body={"name": BASE, "id": BASE})
    found = find_files([DEMO / "handbook"])
    documents = add_documents(gateway, output, BASE, found, rules=AccessRules(None))
    if found.failed:
        raise CommandFailed(found.failed[0].message, code=found.failed[0].code)
    apply_use_case(gateway, read_mapping(DEMO / "use_case.yaml"))
    output.info(say("quickstart.loaded", pages=len(documents), base=BASE))


def make_adapter(gateway: Gateway, output: Output, settings: Settings, *, config: Path) -> bool:
    """Train and publish the demo adapter, unless one from the same rows and keys is live.

    Returns:
        Whether a new adapter is live now.
    """
    mark = settings.paths.run / "quickstart.train"
    keys = read_keys(config, None)
    rows = (content for _, content in read_row_files(config, "dataset", keys["dataset"]))
    digest = _digest(config.read_bytes(), *rows)
    task = str(keys["task"])
    live = live_adapter(gateway, task)
    if live is not None and mark.is_file() and mark.read_text() == f"{digest} {live}":
        output.info(say("quickstart.is_live", adapter=live))
        return False
    job = train_by_gateway(gateway, output, config, keys)
    adapter = str(job.reply.adapter_id)
    change_adapter(gateway, output, f"/adapters/{segment(adapter)}/publish")
    mark.write_text(f"{digest} {adapter}")
    output.info(say("quickstart.published", adapter=adapter))
    return True


def live_adapter(gateway: Gateway, task: str) -> str | None:
    """Return the id of the adapter that is live for `task`."""
    for row in gateway.get("/adapters", AdaptersReply).reply.data:
        if row.task == task and row.state == "live":
            return row.adapter_id
    return None


def compare_demo(
    gateway: Gateway, output: Output, settings: Settings, *, files: Sequence[Path], anew: bool
) -> Received[ComparisonReply]:
    """Return the comparison of the demo questions: the last one if it is still valid."""
    mark = settings.paths.run / "quickstart.compare"
    use_case = read_mapping(DEMO / "use_case.yaml")
    live = live_adapter(gateway, str(use_case.get("adapter")))
    asked = [file.read_bytes() for file in (*files, DEMO / "use_case.yaml")]
    state = f"{_digest(*asked)} {live}"
    if not anew and mark.is_file() and mark.read_text() == state:
        newest: dict[str, str | int] = {"use_case": USE_CASE, "limit": 1}
        last = gateway.get("/compare", ListReply[IdReply], params=newest).reply.data
        if last:
            output.info(say("quickstart.still_valid"))
            return gateway.get(f"/compare/{segment(last[0].id)}", ComparisonReply)
    body: JsonObject = {"use_case": USE_CASE, "rows": [row for f in files for row in read_rows(f)]}
    if live is None:
        output.info(say("quickstart.no_adapter"))
        body["strategies"] = ["prompt_only", "rag", "auto"]
    done = run_compare(gateway, output, body)
    mark.write_text(state)
    return done


def _digest(*contents: bytes) -> str:
    digest = hashlib.sha256()
    for content in contents:
        digest.update(content)
    return digest.hexdigest()


def _next_steps(url: str) -> str:
    ask = f"curl -s {url}/chat --json"
    message = f'{{"messages":[{{"role":"user","content":"{RETURNS_QUESTION}"}}]'
    return f"""{say("quickstart.next", url=url)}
  {ask} '{message}}}'
  {ask} '{message},"strategy":"rag"}}'
  {ask} '{message},"strategy":"hybrid"}}'
  curl -s {url}/route --json '{message}}}'
  .venv/bin/fingerpost ask "{RETURNS_QUESTION}" --stream
  .venv/bin/fingerpost status
{say("quickstart.down")}"""
