import json
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


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 pickle", b"\x10" + b"\0" * 7 + b"{" * 20])
def test_weights_that_are_no_safetensors_are_refused(
    make_adapter: Callable[..., Path], content: bytes
) -> None:
    folder = make_adapter()
    (folder / WEIGHTS).write_bytes(content)
    with pytest.raises(NotServable, match="not a safetensors file|damaged"):
        check_servability(folder, max_lora_rank=32)


def test_links_and_files_that_run_code_are_refused(make_adapter: Callable[..., Path]) -> None:
    folder = make_adapter()
    (folder / "adapter_model.bin").write_bytes(b"x")
    (folder / "link.json").symlink_to("/etc/hostname")
    with pytest.raises(NotServable, match=r"adapter_model\.bin, link\.json"):
        check_servability(folder, max_lora_rank=32)


def test_all_reasons_are_told_at_once(make_adapter: Callable[..., Path]) -> None:
    folder = make_adapter(r=64, use_dora=True)
    (folder / WEIGHTS).unlink()
    with pytest.raises(NotServable) as caught:
        check_servability(folder, max_lora_rank=32)
    assert len(caught.value.reasons) == 3


def test_missing_or_broken_settings_are_refused(make_adapter: Callable[..., Path]) -> None:
    folder = make_adapter()
    for text in ("{", "[]"):
        (folder / "adapter_config.json").write_text(text)
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
