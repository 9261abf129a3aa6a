"""An adapter from elsewhere is copied, checked and measured, or refused and nothing kept."""

import errno
import json
import pickle
import shutil
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from adapters import (
    AdapterError,
    AdapterNotFound,
    AdaptersConfig,
    BaseModelMismatch,
    ImportFailed,
    InvalidTrainingConfig,
    ModelFolder,
    NotServable,
    UnsafeAdapterFolder,
    digest_adapter,
    import_adapter,
    importing,
    judge_effect,
    load_rows,
    read_effect_reference,
)
from adapters.children import ChildFailed
from tests.adapters.conftest import give_effect, write_adapter

SETTINGS = "adapter_config.json"
Import = Callable[..., Path]


@pytest.fixture
def foreign(tmp_path: Path, tiny_base: ModelFolder) -> Path:
    """A PEFT folder of somebody else, as a trainer leaves it."""
    folder = tmp_path / "foreign"
    folder.mkdir()
    write_adapter(folder, tiny_base, seed=0, settings={"base_model_name_or_path": "someone/Tiny"})
    give_effect(folder)
    for name in ("run.json", "metrics.json"):
        (folder / name).unlink()
    (folder / "README.md").write_text("# theirs\n")
    (folder / "tokenizer_config.json").write_text("{}")
    return folder


@pytest.fixture
def run_import(
    registry_dir: Path, tiny_base: ModelFolder, environment: Mapping[str, str]
) -> Import:
    def start(source: Path, **options: Any) -> Path:
        given: dict[str, Any] = {"task": "support", "base": tiny_base, "into": registry_dir}
        given |= {"environment": environment, "settings": AdaptersConfig(training_threads=1)}
        return import_adapter(source, **{**given, **options})

    return start


@pytest.fixture
def no_child(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(*_a: object, **_o: object) -> object:
        raise AssertionError("a child was started")

    monkeypatch.setattr(importing, "run_child", start)


def change(folder: Path, **settings: object) -> None:
    known = json.loads((folder / SETTINGS).read_text())
    (folder / SETTINGS).write_text(json.dumps({**known, **settings}))


@pytest.mark.training
def test_a_folder_and_an_archive_of_it_become_the_same_measured_adapter(
    run_import: Import, foreign: Path, tmp_path: Path, rows_file: Path, tiny_base: ModelFolder
) -> None:
    before = {path.name: path.read_bytes() for path in foreign.iterdir()}
    folder = run_import(foreign, rows=load_rows([rows_file]))
    assert folder.name == f"support@{digest_adapter(folder)[:8]}"
    kept = {path.name for path in folder.iterdir()}
    assert kept == {"adapter_model.safetensors", SETTINGS, "README.md", "run.json", "metrics.json"}
    run = json.loads((folder / "run.json").read_text())
    assert (run["method"], run["context_trained"]) == ("imported", False)
    assert run["base"]["revision"] == tiny_base.revision
    assert run["chat_template_sha256"] == tiny_base.chat_template_sha256
    assert run["imported"]["base_model_name_or_path"] == "someone/Tiny"
    assert run["imported"]["sha256"] == digest_adapter(foreign)
    probes = read_effect_reference(run)
    found = judge_effect(probes, [p.base for p in probes], [p.adapter for p in probes])
    assert found.is_applied
    assert {path.name: path.read_bytes() for path in foreign.iterdir()} == before
    archive = tmp_path / "theirs.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(foreign, "checkpoint-1")
    assert run_import(archive) == folder
    assert list(folder.parent.iterdir()) == [folder]


@pytest.mark.training
def test_an_adapter_without_effect_is_refused(
    run_import: Import, foreign: Path, registry_dir: Path, tiny_base: ModelFolder
) -> None:
    zeros = {"base_model_name_or_path": tiny_base.id}
    write_adapter(foreign, tiny_base, seed=0, settings=zeros)
    for name in ("run.json", "metrics.json"):
        (foreign / name).unlink()
    with pytest.raises(NotServable, match="no effect on"):
        run_import(foreign)
    assert list(registry_dir.iterdir()) == []


def put_pickle(folder: Path) -> None:
    (folder / "adapter_model.safetensors").write_bytes(pickle.dumps({}))


def put_link(folder: Path) -> None:
    (folder / "link.json").symlink_to("/etc/hostname")


def cut_weights(folder: Path) -> None:
    path = folder / "adapter_model.safetensors"
    path.write_bytes(path.read_bytes()[:-7])


def put_template(folder: Path) -> None:
    (folder / "chat_template.jinja").write_text("{{ another }}")


def put_run(**said: object) -> Callable[[Path], None]:
    def put(folder: Path) -> None:
        (folder / "run.json").write_text(json.dumps(said))

    return put


@pytest.mark.usefixtures("no_child")
@pytest.mark.parametrize(
    ("spoil", "error", "reason"),
    [
        (put_pickle, NotServable, "adapter_model.safetensors"),
        (put_link, NotServable, "link.json"),
        (cut_weights, NotServable, "has the wrong size"),
        (lambda f: (f / SETTINGS).unlink(), NotServable, "adapter_config.json is missing"),
        (lambda f: change(f, auto_map={"a": "b.c"}), NotServable, "auto_map"),
        (lambda f: change(f, r=64), NotServable, "rank 64"),
        (lambda f: change(f, peft_type="IA3"), NotServable, "IA3"),
        (lambda f: change(f, target_modules=["c_attn"]), NotServable, "none is in tiny"),
        (
            lambda f: change(f, base_model_name_or_path="someone/other"),
            BaseModelMismatch,
            "--base-is someone/other",
        ),
        (put_template, BaseModelMismatch, "another chat template"),
        (put_run(chat_template_sha256="0" * 64), BaseModelMismatch, "another chat template"),
        (
            put_run(base={"id": "tiny", "revision": "sha256-000000000000"}),
            BaseModelMismatch,
            "sha256-000000000000",
        ),
    ],
)
def test_a_bad_folder_is_refused_before_a_child_is_started(
    run_import: Import,
    foreign: Path,
    registry_dir: Path,
    spoil: Callable[[Path], None],
    error: type[AdapterError],
    reason: str,
) -> None:
    spoil(foreign)
    with pytest.raises(error, match=reason):
        run_import(foreign)
    assert list(registry_dir.iterdir()) == []


@pytest.mark.usefixtures("no_child")
def test_what_is_no_source_is_refused(
    run_import: Import, foreign: Path, tmp_path: Path, registry_dir: Path
) -> None:
    with pytest.raises(AdapterNotFound, match="no folder or archive"):
        run_import(tmp_path / "nowhere")
    with pytest.raises(InvalidTrainingConfig, match="not a task name"):
        run_import(foreign, task="../up")
    with pytest.raises(UnsafeAdapterFolder, match="neither a folder nor"):
        run_import(foreign / "README.md")
    archive = tmp_path / "two.tar"
    with tarfile.open(archive, "w") as tar:
        tar.add(foreign, "one")
        tar.add(foreign, "two")
    with pytest.raises(AdapterNotFound, match="holds 2 adapters"):
        run_import(archive)
    assert list(registry_dir.iterdir()) == []


def test_another_name_of_the_base_model_is_believed_when_it_is_said(
    run_import: Import, foreign: Path, registry_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "run_child", lambda *_a, **_o: [REFERENCE])
    change(foreign, base_model_name_or_path="someone/other")
    folder = run_import(foreign, base_is="someone/other")
    settings = json.loads((folder / SETTINGS).read_text())
    assert settings["base_model_name_or_path"] == "tiny"
    assert json.loads((folder / "run.json").read_text())["imported"]["base_is"] == "someone/other"


REFERENCE = {"token_ids": [1, 2, 3], "base": [-3.0, -3.0], "adapter": [-1.0, -1.0]}


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (ChildFailed("memory ran out", ()), "memory ran out"),
        (OSError(errno.ENOSPC, "No space left on device"), "No space left"),
    ],
)
def test_a_failure_on_the_way_leaves_nothing(
    run_import: Import,
    foreign: Path,
    registry_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
    failure: Exception,
    reason: str,
) -> None:
    def fail(*_a: object, **_o: object) -> object:
        raise failure

    monkeypatch.setattr(importing, "run_child", fail)
    with pytest.raises(ImportFailed, match=reason):
        run_import(foreign)
    assert list(registry_dir.iterdir()) == []


def test_a_full_disk_at_the_last_step_leaves_nothing(
    run_import: Import, foreign: Path, registry_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_a: object) -> object:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(importing, "run_child", lambda *_a, **_o: [REFERENCE])
    monkeypatch.setattr("adapters.files.atomic_rename.os.rename", fail)
    with pytest.raises(ImportFailed, match="No space left"):
        run_import(foreign)
    assert list(registry_dir.iterdir()) == []


def test_the_copy_is_what_is_checked_and_kept(
    run_import: Import, foreign: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sha256 = (foreign / "adapter_model.safetensors").read_bytes()

    def swap(*_a: object, **_o: object) -> object:
        shutil.rmtree(foreign)
        return [REFERENCE]

    monkeypatch.setattr(importing, "run_child", swap)
    with_weights = run_import(foreign) / "adapter_model.safetensors"
    assert with_weights.read_bytes() == sha256


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "run_child", lambda *_a, **_o: [REFERENCE])


@pytest.mark.usefixtures("measured")
def test_files_that_are_never_read_are_left_behind(run_import: Import, foreign: Path) -> None:
    last = foreign / "checkpoint-4"
    shutil.copytree(foreign, last)
    for file in (foreign / "training_args.bin", last / "optimizer.pt", foreign / "train.py"):
        file.write_bytes(pickle.dumps({}))
    kept = {path.name for path in run_import(foreign).iterdir()}
    assert kept == {"adapter_model.safetensors", SETTINGS, "README.md", "run.json", "metrics.json"}


@pytest.mark.usefixtures("measured")
@pytest.mark.parametrize("named", ["", "snapshots/abc123"])
def test_the_links_of_a_hub_cache_are_copied(
    run_import: Import, foreign: Path, tmp_path: Path, named: str
) -> None:
    hub = tmp_path / "models--someone--depot"
    snapshot = hub / "snapshots" / "abc123"
    (hub / "blobs").mkdir(parents=True)
    snapshot.mkdir(parents=True)
    for file in list(foreign.iterdir()):
        file.rename(hub / "blobs" / f"blob_{file.name}")
        (snapshot / file.name).symlink_to(Path("../../blobs") / f"blob_{file.name}")
    folder = run_import(hub / named)
    assert not any(path.is_symlink() for path in folder.iterdir())
    (snapshot / "README.md").unlink()
    (snapshot / "README.md").symlink_to("/etc/hostname")
    with pytest.raises(NotServable, match=r"README\.md; copy the folder with `cp -rL`"):
        run_import(hub / named)


@pytest.mark.usefixtures("measured")
def test_the_uppermost_adapter_of_an_archive_is_taken_and_checkpoints_are_named(
    run_import: Import, foreign: Path, tmp_path: Path
) -> None:
    shutil.copytree(foreign, foreign / "checkpoint-4")
    packed = tmp_path / "packed.tar.gz"
    with tarfile.open(packed, "w:gz") as archive:
        archive.add(foreign, "run")
    whole = run_import(packed)
    only = tmp_path / "only"
    shutil.copytree(foreign / "checkpoint-4", only / "checkpoint-4")
    assert run_import(only) == whole
    shutil.copytree(foreign / "checkpoint-4", only / "checkpoint-8")
    with pytest.raises(AdapterNotFound, match="2 adapters, not one: checkpoint-4, checkpoint-8"):
        run_import(only)


@pytest.mark.usefixtures("measured")
def test_a_template_that_renders_the_same_is_the_same(
    run_import: Import, foreign: Path, tiny_base: ModelFolder
) -> None:
    template = (tiny_base.folder / "chat_template.jinja").read_text(encoding="utf-8")
    file = foreign / "chat_template.jinja"
    file.write_text(f"{{# a note #}}{template}\n", encoding="utf-8")
    run = json.loads((run_import(foreign) / "run.json").read_text())
    assert run["chat_template_sha256"] == tiny_base.chat_template_sha256
    for other in (f"{template} Be kind.", template.replace("role", "name"), "{% if"):
        file.write_text(other, encoding="utf-8")
        with pytest.raises(BaseModelMismatch, match="another chat template"):
            run_import(foreign)
