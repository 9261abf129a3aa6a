"""Batches of unlike prompts, answered in this process by a tiny random model."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adapters import ModelFolder
from tests.adapters.conftest import WORDS

PROMPTS = [[{"role": "user", "content": " ".join(WORDS[: n + 1])}] for n in (9, 2, 5, 0, 7)]


def generate(base: ModelFolder, adapter: Path | None, **arm: Any) -> dict[str, Any]:
    import torch

    from adapters.evaluation.process import generation

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(generation, "choose_dtype", lambda: torch.float32)
        told = {"name": "base", "adapter": str(adapter) if adapter else None, **arm}
        job = {"base": str(base.folder), "threads": 1, "arms": [told]}
        return dict(generation.generate_all(job, lambda _: None)["arms"]["base"])


def test_a_batch_answers_each_prompt_as_if_it_were_alone(tiny_base: ModelFolder) -> None:
    together = generate(tiny_base, None, prompts=PROMPTS, max_new_tokens=6)
    alone = [
        generate(tiny_base, None, prompts=[prompt], max_new_tokens=6)["answers"][0]
        for prompt in PROMPTS
    ]
    assert together["answers"] == alone
    assert len(set(alone)) > 1
    assert together["cut"] == 0


def test_an_adapter_is_merged_and_changes_answers(
    tiny_base: ModelFolder, make_adapter: Callable[..., Path]
) -> None:
    import torch
    from peft import PeftModel
    from safetensors.torch import load_file, save_file

    from adapters.evaluation.process.generation import load_model

    folder = make_adapter(layers_to_transform=[0], layers_pattern="layers")
    weights = folder / "adapter_model.safetensors"
    torch.manual_seed(1)
    save_file({name: torch.randn_like(t) for name, t in load_file(weights).items()}, weights)
    model = load_model(str(tiny_base.folder), str(folder))
    assert not isinstance(model, PeftModel)
    assert not [name for name, _ in model.named_modules() if "lora" in name]
    plain = generate(tiny_base, None, prompts=PROMPTS, max_new_tokens=6)
    adapted = generate(tiny_base, folder, prompts=PROMPTS, max_new_tokens=6)
    assert adapted["answers"] != plain["answers"]


def test_answers_may_be_somewhat_longer_than_the_longest_wanted(tiny_base: ModelFolder) -> None:
    from adapters.evaluation.process.generation import MIN_NEW_TOKENS

    short = generate(tiny_base, None, prompts=PROMPTS, wanted=["blue"] * 5)
    assert short["tokens"] <= 5 * MIN_NEW_TOKENS
    long = generate(tiny_base, None, prompts=PROMPTS[:1], wanted=["blue " * 40])
    assert long["tokens"] <= 51


def test_a_prompt_longer_than_the_model_reads_is_cut_and_counted(tiny_base: ModelFolder) -> None:
    long = [[{"role": "user", "content": "sky " * 400}]]
    assert generate(tiny_base, None, prompts=[*PROMPTS, *long], max_new_tokens=4)["cut"] == 1
