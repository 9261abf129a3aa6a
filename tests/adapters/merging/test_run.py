"""A merged model is a base model like any other, answers like the two it is made of, or is gone."""

import errno
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapters import (
    AdaptersConfig,
    BaseModelMismatch,
    DigestMismatch,
    MergedModel,
    MergeFailed,
    ModelFolder,
    check_servability,
    describe_base_model,
    merge_adapter,
)
from adapters.children import ChildFailed, Task
from adapters.files.weights import read_header
from adapters.merging import run
from adapters.merging.run import compare
from tests.adapters.conftest import give_effect, write_adapter

BASE, ADAPTER = [[-3.0, -3.0]], [[-1.0, -1.0]]
Merge = Callable[..., MergedModel]


@pytest.fixture
def merge(
    make_adapter: Callable[..., Path],
    tiny_base: ModelFolder,
    environment: Mapping[str, str],
    tmp_path: Path,
) -> Merge:
    folder = give_effect(make_adapter())

    def start(**options: Any) -> MergedModel:
        given: dict[str, Any] = {"out": tmp_path / "out" / "merged", "base": tiny_base}
        given |= {"environment": environment, "settings": AdaptersConfig(training_threads=1)}
        return merge_adapter(folder, **{**given, **options})

    return start


def answer(monkeypatch: pytest.MonkeyPatch, merged: list[list[float]]) -> None:
    """Have the child write half a model and answer `merged`."""

    def write(task: Task, **_o: object) -> object:
        Path(task.job["out"]).mkdir()
        (Path(task.job["out"]) / "model.safetensors").write_bytes(b"half")
        return {"base": BASE, "adapter": ADAPTER, "merged": merged}

    monkeypatch.setattr(run, "run_child", write)


@pytest.mark.training
def test_a_merged_model_is_a_base_model_that_answers_like_the_two(
    merge: Merge, tiny_base: ModelFolder, tmp_path: Path
) -> None:
    said: list[str] = []
    made = merge(on_progress=said.append)
    out = tmp_path / "out" / "merged"
    assert list(out.parent.iterdir()) == [out]
    assert made.check.is_met
    assert made.check.error < made.check.shift / 4
    assert made.check.shift > 0.05
    assert said == ["loading the base model", "merging and writing", "comparing log-probabilities"]
    # It is described like any base model, and says what it is made of.
    model = describe_base_model(out)
    assert model == made.model
    assert model.id.startswith("tiny-support-")
    assert model.sha256 != tiny_base.sha256
    record = json.loads((out / "model.json").read_text())
    assert record["merged"]["base"] == {"id": tiny_base.id, "revision": tiny_base.revision}
    assert record["merged"]["adapter"] == made.adapter_id
    assert record["merged"]["check"]["error"] == made.check.error
    # Same tokenizer and template; weights of the same names, sizes and precision.
    assert model.chat_template_sha256 == tiny_base.chat_template_sha256
    for name in ("tokenizer.json", "tokenizer_config.json"):
        assert (out / name).read_bytes() == (tiny_base.folder / name).read_bytes()
    before = read_header(tiny_base.folder / "model.safetensors")
    after = read_header(out / "model.safetensors")
    assert {n: (t.dtype, t.shape) for n, t in after.items()} == {
        n: (t.dtype, t.shape) for n, t in before.items()
    }
    # An adapter for it can be served on it.
    folder = tmp_path / "another"
    folder.mkdir()
    write_adapter(folder, model, seed=0, settings={})
    assert all(found.is_met for found in check_servability(folder, max_lora_rank=4, base=model))


def test_a_merge_that_answers_otherwise_is_refused_and_removed(
    merge: Merge, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for wrong in (BASE, [[-1.0, -1.2]], [[math.nan, -1.0]]):
        answer(monkeypatch, wrong)
        with pytest.raises(MergeFailed, match="nats away from base model and adapter"):
            merge()
        assert list((tmp_path / "out").iterdir()) == []


def test_the_tolerance_is_a_share_of_what_a_small_adapter_does() -> None:
    assert compare(BASE, ADAPTER, ADAPTER).is_met
    assert compare(BASE, ADAPTER, [[-1.02, -1.02]]).is_met
    assert not compare(BASE, ADAPTER, [[-1.04, -1.04]]).is_met
    assert not compare([[-1.0]], [[-1.1]], [[-1.03]]).is_met
    assert compare([[-1.0]], [[-1.1]], [[-1.11]]).is_met


@pytest.mark.parametrize(
    "failure",
    [ChildFailed("memory ran out", ("last",)), OSError(errno.ENOSPC, "No space left on device")],
)
def test_a_failure_on_the_way_leaves_nothing(
    merge: Merge, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, failure: Exception
) -> None:
    def fail(task: Task, **_o: object) -> object:
        Path(task.job["out"]).mkdir()
        raise failure

    monkeypatch.setattr(run, "run_child", fail)
    with pytest.raises(MergeFailed, match="merging failed: .*(memory ran out|No space left)"):
        merge()
    assert list((tmp_path / "out").iterdir()) == []


@pytest.fixture
def no_child(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "run_child", None)


@pytest.mark.usefixtures("no_child")
def test_a_folder_that_exists_is_not_written_over(merge: Merge, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    with pytest.raises(MergeFailed, match="exists"):
        merge(out=tmp_path / "there")


@pytest.mark.usefixtures("no_child")
def test_a_changed_folder_or_one_of_another_base_is_not_merged(
    make_adapter: Callable[..., Path], tiny_base: ModelFolder, tmp_path: Path
) -> None:
    folder, out = give_effect(make_adapter()), tmp_path / "out"
    text = (folder / "adapter_config.json").read_text()
    (folder / "adapter_config.json").write_text(text + " ")
    with pytest.raises(DigestMismatch, match="changed on disk"):
        merge_adapter(folder, out=out, base=tiny_base, environment={})
    (folder / "adapter_config.json").write_text(text)
    other = replace(tiny_base, revision="sha256-000000000000")
    with pytest.raises(BaseModelMismatch):
        merge_adapter(folder, out=out, base=other, environment={})
    assert not out.exists()
