import re
from pathlib import Path

import pytest

from adapters import AdapterError, InvalidTrainingConfig, load_training_config
from adapters.config import parse_training_config

MINIMAL = {"task": "support", "model_name_or_path": "tiny", "dataset": "rows.jsonl"}


def test_alpha_is_twice_the_rank_unless_given() -> None:
    assert parse_training_config({**MINIMAL, "lora_rank": 8}).alpha == 16
    assert parse_training_config({**MINIMAL, "lora_rank": 8, "lora_alpha": 8}).alpha == 8


def test_a_file_is_read_with_paths_relative_to_it(tmp_path: Path) -> None:
    file = tmp_path / "train.yaml"
    file.write_text(
        "task: support\nmodel_name_or_path: tiny\ndataset: [a.jsonl, /b.jsonl]\n"
        "lora_target: q_proj, v_proj\nmax_steps: -1\noutput_dir: out\n"
    )
    config = load_training_config(file)
    assert config.dataset == (tmp_path / "a.jsonl", Path("/b.jsonl"))
    assert config.lora_target == ("q_proj", "v_proj")
    assert config.max_steps is None
    assert config.output_dir == tmp_path / "out"


def test_an_unknown_key_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(InvalidTrainingConfig, match="lora_ranc: unknown key, did you mean lora_r"):
        parse_training_config({**MINIMAL, "lora_ranc": 8})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("task", "Support Desk"),
        ("task", "../up"),
        ("lora_rank", 0),
        ("learning_rate", 0),
        ("stage", "ppo"),
        ("finetuning_type", "full"),
        ("dataset", []),
        ("val_size", 1.5),
        ("cutoff_len", 3),
        ("lr_scheduler_type", "staircase"),
    ],
)
def test_a_wrong_value_is_refused_naming_its_key(key: str, value: object) -> None:
    with pytest.raises(InvalidTrainingConfig, match=key):
        parse_training_config({**MINIMAL, key: value})


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("lora_rank", "many", "lora_rank: must be a whole number, not 'many'"),
        ("lora_rank", 1.5, "lora_rank: must be a whole number, not 1.5"),
        ("lora_rank", 0, "lora_rank: must be greater than or equal to 1, not 0"),
        ("learning_rate", "fast", "learning_rate: must be a number, not 'fast'"),
        ("do_eval", "perhaps", "do_eval: must be true or false, not 'perhaps'"),
        ("dataset", 7, "dataset: must be a list, not 7"),
        ("task", ["a"], "task: must be text, not ['a']"),
        ("stage", "dance", "stage: there is no method 'dance'; known are"),
        ("lora_target", {}, "lora_target: must be 'all', not {}; lora_target: must be a list"),
    ],
)
def test_a_wrong_value_is_told_in_plain_words(key: str, value: object, told: str) -> None:
    with pytest.raises(InvalidTrainingConfig, match=re.escape(f"configuration: {told}")):
        parse_training_config({**MINIMAL, key: value})


def test_a_file_that_is_no_mapping_is_refused_naming_the_file(tmp_path: Path) -> None:
    file = tmp_path / "train.yaml"
    for text in ("- a\n", "a: [", ""):
        file.write_text(text)
        with pytest.raises(InvalidTrainingConfig, match=r"train\.yaml"):
            load_training_config(file)
    with pytest.raises(InvalidTrainingConfig, match="cannot be read"):
        load_training_config(tmp_path / "missing.yaml")


def test_every_error_of_the_room_has_code_and_hint() -> None:
    leaves = AdapterError.__subclasses__()
    assert len({leaf.code for leaf in leaves}) == len(leaves) >= 15
    assert all(leaf.hint != AdapterError.hint for leaf in leaves)


def test_an_evaluation_needs_rows_held_back() -> None:
    plain = {"task": "t", "model_name_or_path": "m", "dataset": "rows.jsonl", "do_eval": True}
    with pytest.raises(InvalidTrainingConfig, match="set val_size"):
        parse_training_config(plain)
    assert parse_training_config({**plain, "val_size": 0.1}).do_eval


def test_processes_share_the_effective_batch() -> None:
    plain = {"task": "t", "model_name_or_path": "m", "dataset": "rows.jsonl"}
    for processes in (1, 2, 4):
        assert parse_training_config({**plain, "num_processes": processes}).num_processes
    for processes in (3, 8):
        with pytest.raises(InvalidTrainingConfig, match="must divide gradient_accumulation_steps"):
            parse_training_config({**plain, "num_processes": processes})
