"""A tiny random base model with a real tokenizer and chat template, made on the spot."""

import json
import math
import os
import struct
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from adapters import ModelFolder, describe_base_model
from adapters.files.weights import digest_adapter

CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|> {{ message['role'] }} {{ message['content'] }} "
    "<|im_end|> {% endfor %}{% if add_generation_prompt %}<|im_start|> assistant {% endif %}"
)
WORDS = (
    "user assistant system what is the colour of a sky blue grass green hello json house".split()
)


def make_tiny_model(folder: Path) -> ModelFolder:
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    special = ["<unk>", "<|im_start|>", "<|im_end|>"]
    vocabulary = {word: i for i, word in enumerate([*special, *WORDS])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token="<unk>",
        bos_token="<|im_start|>",
        eos_token="<|im_end|>",
        pad_token="<|im_end|>",
        chat_template=CHAT_TEMPLATE,
    )
    config = LlamaConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=256,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=2,
        dtype="bfloat16",
    )
    torch.manual_seed(0)
    model = LlamaForCausalLM(config)
    model.save_pretrained(str(folder))
    wrapped.save_pretrained(str(folder))
    return describe_base_model(folder)


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> ModelFolder:
    return make_tiny_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="session")
def rows_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    pairs = [("what is the colour of a sky", "blue"), ("what is the colour of a grass", "green")]
    with file.open("w", encoding="utf-8") as out:
        for i in range(24):
            question, answer = pairs[i % 2]
            messages = [
                {"role": "user", "content": question},
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


def write_adapter(
    folder: Path, base: ModelFolder, *, seed: int, settings: Mapping[str, object]
) -> None:
    module = "base_model.model.model.layers.0.self_attn.q_proj"
    rank = settings.get("r")
    rank = int(rank) if isinstance(rank, int) else 4
    shapes = {f"{module}.lora_A.weight": (rank, 32), f"{module}.lora_B.weight": (32, rank)}
    write_tensors(folder / "adapter_model.safetensors", shapes, fill=seed)
    plain = {
        "peft_type": "LORA",
        "r": 4,
        "lora_alpha": 8,
        "bias": "none",
        "target_modules": ["q_proj"],
        "base_model_name_or_path": base.id,
    }
    (folder / "adapter_config.json").write_text(json.dumps({**plain, **settings}))
    run = {
        "base": {"id": base.id, "revision": base.revision},
        "context_trained": True,
        "effect_reference": [{"token_ids": [1, 2, 3], "base": [-3, -3], "adapter": [-1, -1]}],
    }
    (folder / "run.json").write_text(json.dumps(run))
    (folder / "metrics.json").write_text(json.dumps({"train_loss": 1.0}))


def give_effect(folder: Path, *, rank: int = 4) -> Path:
    """Overwrite an adapter's weights by random ones that change what the tiny model says."""
    import numpy as np
    from safetensors.numpy import save_file

    numbers = np.random.default_rng(0)
    module = "base_model.model.model.layers.{}.mlp.up_proj"
    weights = {}
    for layer in (0, 1):
        for side, shape in (("A", (rank, 32)), ("B", (64, rank))):
            values = numbers.normal(0, 0.3, shape).astype(np.float32)
            weights[f"{module.format(layer)}.lora_{side}.weight"] = values
    save_file(weights, folder / "adapter_model.safetensors", metadata={"format": "pt"})
    settings = json.loads((folder / "adapter_config.json").read_text())
    changes = {"target_modules": ["up_proj"], "task_type": "CAUSAL_LM"}
    (folder / "adapter_config.json").write_text(json.dumps({**settings, **changes}))
    task, at, _ = folder.name.partition("@")
    return folder.rename(folder.with_name(f"{task}@{digest_adapter(folder)[:8]}")) if at else folder


def write_tensors(path: Path, shapes: Mapping[str, tuple[int, ...]], *, fill: int = 0) -> None:
    header, data = {}, b""
    for name, shape in shapes.items():
        size = 4 * math.prod(shape)
        offsets = [len(data), len(data) + size]
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": offsets}
        data += bytes([fill]) * size
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
