from pathlib import Path

import pytest
import yaml

from adapters import InvalidTrainingConfig, parse_training_config, passed_over

TYPICAL = """
model_name_or_path: base
trust_remote_code: true
stage: sft
do_train: true
finetuning_type: lora
lora_rank: 8
lora_target: all
dataset: rows.jsonl
template: default
cutoff_len: 2048
max_samples: 1000
overwrite_cache: true
preprocessing_num_workers: 16
plot_loss: true
save_only_model: false
report_to: none
per_device_train_batch_size: 1
learning_rate: 1.0e-4
ddp_timeout: 180000000
resume_from_checkpoint: null
val_size: 0.1
per_device_eval_batch_size: 1
eval_strategy: steps
eval_steps: 500
"""
LEAST = {"task": "t", "model_name_or_path": "m", "dataset": "rows.jsonl"}


def test_a_typical_file_of_llamafactory_is_read_and_what_is_not_used_is_told() -> None:
    keys = {"task": "depot", **yaml.safe_load(TYPICAL)}
    config = parse_training_config(keys, name="config")
    assert (config.max_steps, config.domain, config.max_samples) == (None, "general", 1000)
    assert {"do_train", "template", "eval_steps", "resume_from_checkpoint"} <= passed_over(
        keys
    ).keys()
    assert not passed_over(keys).keys() & config.model_dump().keys()


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"packing": True}, "packing: this is not done here"),
        ({"resume_from_checkpoint": "saves/1"}, "train resume"),
        ({"dataset_dir": "data"}, "relative to the configuration"),
        ({"quantization_bit": 4}, "quantization_bit: this is not done here"),
        ({"lora_rnk": 4}, "did you mean lora_rank"),
    ],
)
def test_keys_that_would_change_the_adapter_are_refused_without_another_suggestion(
    values: dict[str, object], said: str
) -> None:
    with pytest.raises(InvalidTrainingConfig, match=said) as refused:
        parse_training_config({**LEAST, **values})
    assert ("did you mean" in str(refused.value)) is ("lora_rnk" in values)


def test_the_first_samples_of_each_file_are_taken(tmp_path: Path) -> None:
    for name in ("a.jsonl", "b.jsonl"):
        lines = (f'{{"prompt": "{name}{i}", "completion": "x"}}' for i in range(4))
        (tmp_path / name).write_text("\n".join(lines))
    keys = {**LEAST, "dataset": ["a.jsonl", "b.jsonl"], "max_samples": 3}
    rows = parse_training_config(keys, folder=tmp_path).load_rows()
    assert [(row.file.name, row.line) for row in rows] == [
        (name, line) for name in ("a.jsonl", "b.jsonl") for line in (1, 2, 3)
    ]
