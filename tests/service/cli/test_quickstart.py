"""Which models the quickstart prepares for a home."""

import json
from pathlib import Path

import pytest

from service.cli.output import Output
from service.cli.quickstart import prepare_models
from service.home import Home
from service.home_models import EARLIER, NEW, HomeModels, read_models, write_models

QWEN = NEW.base_model


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
