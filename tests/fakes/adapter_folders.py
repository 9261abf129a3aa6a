"""Adapter folders written by hand, as registry, publisher and servability checks read them."""

import json
import math
import struct
from collections.abc import Mapping
from pathlib import Path

from adapters import ModelFolder
from adapters.files.weights import digest_adapter


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
