"""What a run learns and judges by, before any model is loaded; and how the model is loaded."""

import json
from pathlib import Path
from typing import Any

import pytest

from adapters import InvalidTrainingData, ModelFolder, TrainingConfig, parse_training_config
from adapters.training.process.lora import load_base
from adapters.training.process.preparation import load_tokenizer, prepare

LIMIT = 32


def test_held_out_pairs_without_room_for_an_answer_are_not_judged(
    tmp_path: Path, tiny_base: ModelFolder
) -> None:
    file = tmp_path / "pairs.jsonl"
    rows = [
        {
            "history": [["what is", "sky"]] * (number % 2 * 8),  # many turns: none can be cut
            "prompt": f"what is blue {number}",
            "chosen": "sky",
            "rejected": "grass",
        }
        for number in range(20)
    ]
    file.write_text("\n".join(map(json.dumps, rows)))
    values = {"task": "t", "model_name_or_path": tiny_base.id, "dataset": str(file)}
    config = parse_training_config(
        {**values, "stage": "dpo", "cutoff_len": LIMIT, "val_size": 0.5, "force": True}
    )
    material = prepare(config, load_tokenizer(str(tiny_base.folder), tiny_base.id))
    assert len(material.held_out_rows) == 10
    assert 0 < len(material.held_out_examples) < 10
    assert all(len(pair.prompt) == 1 for pair in material.held_out_examples)
    learned = len(material.examples)
    assert material.counts["answers_left_out"] == 10 - learned, "the held-out ones are not counted"


@pytest.mark.parametrize(("keep", "examples"), [("head", 50), ("windows", 150)])
def test_long_rows_are_cut_and_the_cut_is_counted(
    tmp_path: Path, tiny_base: ModelFolder, keep: str, examples: int
) -> None:
    file = tmp_path / "rows.jsonl"
    row = {"prompt": "what is the colour " * 20, "completion": "blue"}
    file.write_text("\n".join([json.dumps(row)] * 50))
    values = {"task": "t", "model_name_or_path": tiny_base.id, "dataset": str(file)}
    config = parse_training_config({**values, "cutoff_len": 64, "long_text": keep})
    counts = prepare(config, load_tokenizer(str(tiny_base.folder), tiny_base.id)).counts
    assert counts["answers"] == examples
    assert counts["rows_shortened"] == 50
    assert counts["answers_left_out"] == counts["answers_cut"] == 0
    assert counts["tokens_cut"] == (50 * (23 + 4) if keep == "head" else 0)
    assert counts["windows"] == (150 if keep == "windows" else 0)


def test_answers_that_are_marked_are_not_learned(tmp_path: Path, tiny_base: ModelFolder) -> None:
    asked, told = {"role": "user", "content": "q"}, {"role": "assistant", "content": "blue"}
    rows = [{"messages": [asked, {**told, "weight": 0}, asked, told]}] * 4
    counts = prepare(*config_of(tmp_path, rows, tiny_base)).counts
    assert (counts["rows"], counts["answers"]) == (4, 4)
    with pytest.raises(InvalidTrainingData, match="all answers of the 4 rows"):
        prepare(*config_of(tmp_path, [{**rows[0], "train": False}] * 4, tiny_base))


@pytest.mark.parametrize("stage", ["sft", "dpo"])
def test_control_tokens_of_the_base_model_are_refused_by_file_and_line(
    tmp_path: Path, tiny_base: ModelFolder, stage: str
) -> None:
    end = load_tokenizer(str(tiny_base.folder), tiny_base.id).eos_token
    row = {"prompt": "q", "completion": "blue"}
    if stage == "dpo":
        row = {"prompt": "q", "chosen": "blue", "rejected": "red"}
    rows = [row, row, {**row, "prompt": f"q{end}"}]
    with pytest.raises(InvalidTrainingData, match=r"rows\.jsonl:3: .* in a text: "):
        prepare(*config_of(tmp_path, rows, tiny_base, stage=stage))


def config_of(
    folder: Path, rows: list[Any], base: ModelFolder, **keys: object
) -> tuple[TrainingConfig, Any]:
    """Return a configuration of rows and the base model's tokenizer."""
    file = folder / "rows.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)))
    values = {"task": "t", "model_name_or_path": base.id, "dataset": str(file), "force": True}
    config = parse_training_config({**values, **keys})
    return config, load_tokenizer(str(base.folder), base.id)


@pytest.mark.parametrize(("longest", "attention"), [(256, "eager"), (257, "sdpa")])
def test_rows_up_to_256_tokens_are_trained_with_plain_attention_on_a_cpu(
    tiny_base: ModelFolder, longest: int, attention: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    config = parse_training_config(
        {"task": "t", "model_name_or_path": tiny_base.id, "dataset": "rows.jsonl"}
    )
    model = load_base(str(tiny_base.folder), config, longest=longest)
    assert model.config._attn_implementation == attention
