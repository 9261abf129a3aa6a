"""Which models the quickstart prepares for a home."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from service.cli import app
from service.cli.output import Output
from service.cli.processes import start
from service.cli.quickstart import DemoFiles, prepare_models
from service.home import Home
from service.home_models import EARLIER, NEW, HomeModels, read_models, write_models

QWEN = NEW.base_model
FILES = DemoFiles(Path("train.yaml"), ())


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("FINGERPOST_HOME", str(tmp_path))
    return Home(tmp_path)


@pytest.fixture
def absent(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Stand in for the child process that prepares models; those in the set have no source."""
    names = set[str]()

    def prepare(home: Home, _output: Output, wanted: HomeModels) -> None:
        small = {wanted.base_model: EARLIER.base_model, wanted.embedder: EARLIER.embedder}
        for name in small:
            folder = home.models / (small[name] if name in names else name)
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "model.json").write_text(json.dumps({"id": folder.name}))

    monkeypatch.setattr("service.cli.quickstart._run_preparation", prepare)
    return names


def prepared(home: Home, base_model: str = QWEN) -> HomeModels:
    return prepare_models(home, Output(as_json=True), base_model=base_model)


def test_a_new_home_gets_models_of_both_languages(home: Home, absent: set[str]) -> None:
    assert prepared(home) == NEW == read_models(home)
    assert not absent
    assert prepared(home, EARLIER.base_model) == NEW, "it is not new any more"


def test_a_new_home_gets_the_small_base_model_where_it_is_asked_for(
    home: Home, absent: set[str]
) -> None:
    assert prepared(home, EARLIER.base_model) == HomeModels(EARLIER.base_model, NEW.embedder)
    assert not absent


def test_the_small_one_serves_for_a_model_that_no_source_has(home: Home, absent: set[str]) -> None:
    absent.add(QWEN)
    found = prepared(home)
    assert found == HomeModels(EARLIER.base_model, NEW.embedder, missing=(QWEN,))
    assert read_models(home) == found
    absent.clear()
    assert prepared(home) == found, "adapters and vectors were made with these"


@pytest.mark.parametrize("sign", ["state.db", "models.json"])
def test_a_home_of_before_keeps_its_models(home: Home, absent: set[str], sign: str) -> None:
    if sign == "state.db":
        home.database.touch()
    else:
        write_models(home, EARLIER)
    assert prepared(home) == EARLIER == read_models(home)
    assert not (home.models / QWEN).exists()
    assert not absent


def test_the_models_of_the_home_are_prepared_by_name(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[list[str]] = []

    class Child:
        returncode, stdout = 0, ("ready\n",)

        def __init__(self, command: list[str], **_: object) -> None:
            commands.append(command)

        def __enter__(self) -> "Child":
            return self

        def __exit__(self, *_: object) -> None:
            return None

    monkeypatch.setattr("service.cli.quickstart.subprocess.Popen", Child)
    found = prepared(home)
    (command,) = commands
    assert command[3:] == [
        *(str(home.models), "--base-model", QWEN),
        *("--embedder", NEW.embedder),
    ]
    assert found.missing == tuple(sorted((QWEN, NEW.embedder))), "no folder was made"


def test_what_serves_in_whose_place_is_said_after_the_comparison(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = HomeModels(EARLIER.base_model, NEW.embedder, missing=(QWEN,))
    steps = {
        "prepare_models": small,
        "start": SimpleNamespace(url="http://127.0.0.1:9"),
        "load_demo": None,
        "compare_demo": SimpleNamespace(body={}),
        "summary_of": None,
        "print_table": None,
    }
    for name, answer in steps.items():
        monkeypatch.setattr(f"service.cli.quickstart.{name}", lambda *_, _is=answer, **__: _is)
    monkeypatch.setattr("service.cli.quickstart.DemoFiles.of", lambda *_, **__: FILES)
    done = CliRunner().invoke(app, ["quickstart", "--no-train"])
    assert done.exit_code == 0, done.output
    assert str(small.note) in done.stderr


def test_a_start_writes_down_what_an_earlier_home_was_made_with(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.make()
    home.database.touch()
    seen: list[HomeModels | None] = []
    monkeypatch.setattr(
        "service.cli.processes.start_all", lambda *_, **__: seen.append(read_models(home))
    )
    start(Output(as_json=True), port=0)
    assert seen == [EARLIER]
