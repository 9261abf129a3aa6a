"""The tiny base model, rows to learn and adapter folders."""

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from adapters import ModelFolder
from adapters.files.weights import digest_adapter
from tests.fakes.adapter_folders import give_effect as give_effect
from tests.fakes.adapter_folders import write_adapter as write_adapter
from tests.fakes.adapter_folders import write_tensors as write_tensors
from tests.fakes.tiny_model import WORDS as WORDS
from tests.fakes.tiny_model import make_tiny_model as make_tiny_model
from tests.fakes.tiny_model import phrases as phrases


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> ModelFolder:
    return make_tiny_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="session")
def rows_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    pairs = [("what is the colour of a sky", "blue"), ("what is the colour of a grass", "green")]
    with file.open("w", encoding="utf-8") as out:
        for i, phrase in enumerate(phrases(24)):  # no row is a copy
            question, answer = pairs[i % 2]
            messages = [
                {"role": "user", "content": f"{phrase} {question}"},
                {"role": "assistant", "content": answer},
            ]
            out.write(json.dumps({"messages": messages, "source": f"s{i}"}) + "\n")
    return file


@pytest.fixture(scope="session")
def environment() -> Mapping[str, str]:
    return dict(os.environ)


@pytest.fixture
def registry_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "adapters"
    folder.mkdir()
    return folder


@pytest.fixture
def make_adapter(registry_dir: Path, tiny_base: ModelFolder) -> Callable[..., Path]:
    """Returns a function that writes a whole adapter folder for the tiny base model."""

    def make(task: str = "support", *, seed: int = 0, **settings: object) -> Path:
        made = registry_dir / "making"
        made.mkdir()
        write_adapter(made, tiny_base, seed=seed, settings=settings)
        folder = registry_dir / f"{task}@{digest_adapter(made)[:8]}"
        made.rename(folder)
        return folder

    return make
