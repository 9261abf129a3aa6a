import hashlib
from pathlib import Path

import pytest

from adapters import BaseModelNotFound, ModelFolder, describe_base_model
from tests.adapters.conftest import write_tensors


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
