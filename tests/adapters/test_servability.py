import json
import math
import os
import pickle
import re
import struct
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from adapters import ModelFolder, NotServable, check_config, check_servability
from adapters.config import parse_training_config
from tests.adapters.conftest import write_tensors

MINIMAL = {"task": "support", "model_name_or_path": "tiny", "dataset": "rows.jsonl"}
PREFIX = "base_model.model.model.layers.0"
WEIGHTS = "adapter_model.safetensors"


def test_a_plain_lora_folder_is_servable(
    make_adapter: Callable[..., Path], tiny_base: ModelFolder
) -> None:
    findings = check_servability(make_adapter(), max_lora_rank=4, base=tiny_base)
    assert all(finding.is_met for finding in findings)
    assert {"rank", "keys", "modules", "base_model"} <= {finding.rule for finding in findings}


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"r": 64}, "--max-lora-rank 64"),
        ({"r": 1024}, "no engine can"),
        ({"r": None}, "not a positive"),
        ({"rank_pattern": {"q_proj": 64}}, "rank 64"),
        ({"peft_type": "IA3"}, "IA3"),
        ({"use_dora": True}, "DoRA"),
        ({"modules_to_save": ["lm_head"]}, "modules_to_save"),
        ({"bias": "all"}, "bias all"),
        ({"lora_bias": True}, "lora_bias"),
        ({"init_lora_weights": "pissa"}, "pissa"),
        ({"layer_replication": [[0, 1]]}, "layer_replication"),
        ({"trainable_token_indices": [5]}, "trained tokens"),
        ({"target_parameters": ["experts.w"]}, "bare parameters"),
        ({"alora_invocation_tokens": [5]}, "activated"),
        ({"base_model_name_or_path": "other"}, "trained for other"),
        ({"peft_type": "SOMETHING_NEW"}, "SOMETHING_NEW"),
        ({"peft_type": None}, "method None"),
        ({"rank_pattern": [64]}, "not a positive"),
        ({"r": True}, "not a positive"),
        ({"lora_alpha": None}, "above 0"),
        ({"lora_alpha": float("nan")}, "above 0"),
        ({"target_modules": ["c_attn"]}, "none is in tiny"),
        ({"target_modules": None}, "none is in tiny"),
        ({"auto_map": {"AutoModel": "evil.Model"}}, "auto_map: code"),
        ({"trust_remote_code": True}, "trust_remote_code: code"),
        ({"auto_mapping": {"parent_library": "evil", "base_model_class": "X"}}, "mapping to evil"),
        ({"auto_mapping": "evil"}, "mapping to evil"),
        ({"megatron_config": {"a": 1}, "megatron_core": "evil"}, "named by the adapter"),
    ],
)
def test_settings_the_engine_refuses_are_refused(
    make_adapter: Callable[..., Path],
    tiny_base: ModelFolder,
    settings: Mapping[str, object],
    reason: str,
) -> None:
    with pytest.raises(NotServable, match=reason) as caught:
        check_servability(make_adapter(**settings), max_lora_rank=32, base=tiny_base)
    assert len(caught.value.reasons) == 1


@pytest.mark.parametrize(
    ("shapes", "reason"),
    [
        ({f"{PREFIX}.self_attn.q_proj.lora_A.weight": (4, 32)}, "only one of"),
        (
            {
                "base_model.model.model.language_model.layers.0.mlp.up_proj.lora_A.weight": (4, 32),
                "base_model.model.model.language_model.layers.0.mlp.up_proj.lora_B.weight": (64, 4),
            },
            "no such module",
        ),
        (
            {
                f"{PREFIX}.self_attn.q_proj.lora_A.weight": (4, 48),
                f"{PREFIX}.self_attn.q_proj.lora_B.weight": (48, 4),
            },
            "other size",
        ),
        ({f"{PREFIX}.self_attn.q_proj.weight": (32, 32)}, "not a LoRA weight"),
        ({}, "0 tensors"),
    ],
)
def test_keys_that_would_load_without_effect_are_refused(
    make_adapter: Callable[..., Path],
    tiny_base: ModelFolder,
    shapes: Mapping[str, tuple[int, ...]],
    reason: str,
) -> None:
    folder = make_adapter()
    write_tensors(folder / WEIGHTS, shapes)
    with pytest.raises(NotServable, match=reason):
        check_servability(folder, max_lora_rank=32, base=tiny_base)


def header(text: str, data: bytes = b"", *, told: int | None = None) -> bytes:
    """Returns a file with this header; `told` is the length it claims."""
    content = text.encode()
    return struct.pack("<Q", len(content) if told is None else told) + content + data


def entry(**changes: object) -> str:
    plain = {"dtype": "F32", "shape": [1, 1], "data_offsets": [0, 4]}
    return json.dumps({"a": {**plain, **changes}})


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not a safetensors file"),
        (b"PK\x03\x04 pickle", "not a safetensors file"),
        (b"\x10" + b"\0" * 7 + b"{" * 20, "damaged"),
        (header("{}", told=2**62), "not a safetensors file"),
        (header("{}", told=3), "not a safetensors file"),
        (header("[" * 200_000), "damaged"),
        (header(entry(), b"123"), "has the wrong size"),
        (header(entry(), b"12345"), "has the wrong size"),
        (header(entry(data_offsets=[0, 8]), b"12345678"), "wrong offsets of a"),
        (header(entry(data_offsets=[4, 8]), b"12345678"), "wrong offsets of a"),
        (header(entry(data_offsets=[-4, 4]), b"1234"), "damaged"),
        (header(entry(shape=[-1, -1]), b"1234"), "damaged"),
        (header(entry(shape="aa"), b"1234"), "damaged"),
        (header('{"a": 1}'), "damaged"),
    ],
)
def test_weights_that_are_no_safetensors_are_refused(
    make_adapter: Callable[..., Path], content: bytes, reason: str
) -> None:
    folder = make_adapter()
    (folder / WEIGHTS).write_bytes(content)
    with pytest.raises(NotServable, match=reason):
        check_servability(folder, max_lora_rank=32)


@pytest.mark.parametrize(
    ("dtype", "number", "reason"),
    [
        ("F32", struct.pack("<f", math.nan), "NaN"),
        ("F32", struct.pack("<f", -math.inf), "NaN"),
        ("F16", struct.pack("<e", math.inf), "NaN"),
        ("BF16", b"\x80\x7f", "NaN"),
        ("BF16", b"\xc0\xff", "NaN"),
        ("I32", b"\1\0\0\0", "16 or 32 bits"),
        ("F32", struct.pack("<f", 3e38), None),
        ("BF16", b"\x7f\x7f", None),
    ],
)
def test_weights_that_are_no_numbers_are_refused(
    make_adapter: Callable[..., Path], dtype: str, number: bytes, reason: str | None
) -> None:
    folder = make_adapter()
    size = len(number)
    shapes = {f"{PREFIX}.self_attn.q_proj.lora_{side}.weight": size for side in "AB"}
    told = {
        name: {
            "dtype": dtype,
            "shape": [4, 32] if "lora_A" in name else [32, 4],
            "data_offsets": [128 * size * i, 128 * size * (i + 1)],
        }
        for i, name in enumerate(shapes)
    }
    (folder / WEIGHTS).write_bytes(header(json.dumps(told), bytes(255 * size) + number))
    if reason is None:
        check_servability(folder, max_lora_rank=32)
        return
    with pytest.raises(NotServable, match=reason) as caught:
        check_servability(folder, max_lora_rank=32)
    assert len(caught.value.reasons) == 1


def test_a_rank_that_the_settings_hide_is_refused(make_adapter: Callable[..., Path]) -> None:
    folder = make_adapter()
    name = f"{PREFIX}.self_attn.q_proj.lora"
    write_tensors(folder / WEIGHTS, {f"{name}_A.weight": (64, 32), f"{name}_B.weight": (32, 64)})
    with pytest.raises(NotServable, match="not of rank 4 as the settings say"):
        check_servability(folder, max_lora_rank=32)


class Armed:
    """Writes a file when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.write_text, (self.mark, "run"))


@pytest.mark.parametrize(
    "name",
    ["adapter_model.bin", "optimizer.pt", "a.pkl", "deep/training_args.bin", "notes.txt", WEIGHTS],
)
def test_pickles_are_refused_under_every_name_and_not_run(
    make_adapter: Callable[..., Path], tmp_path: Path, name: str
) -> None:
    folder, mark = make_adapter(), tmp_path / "mark"
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(pickle.dumps(Armed(mark)))
    with pytest.raises(NotServable, match=rf"can run code: {re.escape(name)}"):
        check_servability(folder, max_lora_rank=32)
    assert not mark.exists()
    pickle.loads((folder / name).read_bytes())
    assert mark.exists(), "the pickle of this test is not armed"


def test_links_and_special_files_are_refused(
    make_adapter: Callable[..., Path], tmp_path: Path
) -> None:
    folder, secret = make_adapter(), tmp_path / "secret.txt"
    secret.write_text("mine")
    (folder / "soft.json").symlink_to(secret)
    (folder / "hard.json").hardlink_to(secret)
    os.mkfifo(folder / "pipe")
    with pytest.raises(NotServable, match=r"code: hard\.json, pipe, soft\.json"):
        check_servability(folder, max_lora_rank=32)


def test_all_reasons_are_told_at_once(make_adapter: Callable[..., Path]) -> None:
    folder = make_adapter(r=64, use_dora=True)
    (folder / WEIGHTS).unlink()
    with pytest.raises(NotServable) as caught:
        check_servability(folder, max_lora_rank=32)
    assert len(caught.value.reasons) == 3


def test_missing_or_broken_settings_are_refused(make_adapter: Callable[..., Path]) -> None:
    folder = make_adapter()
    for text in (b"{", b"[]", b"[" * 200_000, b"\xff", b" " * 2**21):
        (folder / "adapter_config.json").write_bytes(text)
        with pytest.raises(NotServable, match=r"adapter_config\.json"):
            check_servability(folder, max_lora_rank=32)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"lora_rank": 33}, "rank 33"),
        ({"use_dora": True}, "DoRA"),
        ({"pissa_init": True}, "pissa"),
        ({"additional_target": ["embed_tokens"]}, "additional_target"),
        ({"add_special_tokens": ["<a>"]}, "vocabulary"),
        ({"lora_target": ["q_proj", "lm_head"]}, "lm_head"),
    ],
)
def test_a_configuration_that_could_not_be_served_is_refused_before_training(
    values: Mapping[str, object], reason: str
) -> None:
    with pytest.raises(NotServable, match=reason):
        check_config(parse_training_config({**MINIMAL, **values}), max_lora_rank=32)


def test_a_plain_configuration_is_accepted() -> None:
    findings = check_config(parse_training_config(MINIMAL), max_lora_rank=32)
    assert json.dumps([finding.rule for finding in findings])
    assert all(finding.is_met for finding in findings)
