"""What each method and key leaves behind, on the tiny base model."""

import json
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file

from adapters import (
    AdaptersConfig,
    InvalidTrainingConfig,
    InvalidTrainingData,
    ModelFolder,
    NotServable,
    TooFewRows,
    TrainingEvent,
    TrainingFailed,
    TrainingResult,
    check_servability,
    check_training,
    describe_base_model,
    parse_training_config,
    run_training,
)
from adapters.files.weights import ADAPTER_WEIGHTS, read_header
from adapters.methods import METHODS
from tests.adapters.conftest import make_tiny_model, phrases

Run = Callable[..., TrainingResult]


@pytest.fixture
def events() -> list[TrainingEvent]:
    return []


@pytest.fixture
def run(
    tmp_path: Path,
    tiny_base: ModelFolder,
    environment: Mapping[str, str],
    events: list[TrainingEvent],
) -> Run:
    def start(
        rows: list[dict[str, Any]], *, base: ModelFolder = tiny_base, **values: object
    ) -> TrainingResult:
        file = tmp_path / "rows.jsonl"
        file.write_text("\n".join(json.dumps(row) for row in rows))
        plain = {"task": "t", "model_name_or_path": tiny_base.id, "dataset": str(file)}
        return run_training(
            parse_training_config({**plain, "lora_rank": 4, "learning_rate": 0.02, **values}),
            base=base,
            into=tmp_path / "adapters",
            environment=environment,
            settings=AdaptersConfig(training_threads=1, training_nice=1),
            on_progress=events.append,
        )

    return start


def pairs(count: int) -> list[dict[str, Any]]:
    asked = ("what is the colour of a sky", "what is the colour of a grass")
    return [
        {"prompt": f"{phrase} {asked[i % 2]}", "chosen": "blue", "rejected": "green"}
        for i, phrase in enumerate(phrases(count))
    ]


def answers(count: int) -> list[dict[str, Any]]:
    return [{"prompt": f"colour {phrase}", "completion": "blue"} for phrase in phrases(count)]


@pytest.mark.training
def test_dpo_learns_which_answer_is_preferred(run: Run, tiny_base: ModelFolder) -> None:
    result = run(pairs(60), stage="dpo", val_size=20, num_train_epochs=4)
    check_servability(result.folder, max_lora_rank=4, base=tiny_base)
    judged: Any = result.metrics["preference"]
    assert judged["pairs"] == 20
    assert judged["reward_accuracy"] == 1.0
    assert judged["reward_accuracy_interval"][0] > judged["reward_accuracy_base"] == 0.5
    assert judged["reward_margin"] > 0
    assert judged["likelihood_accuracy"]["after"] >= judged["likelihood_accuracy"]["before"]
    run_json: Any = result.run
    assert run_json["method"] == "dpo-lora"
    assert run_json["config"]["pref_beta"] == 0.1
    assert "reward accuracy on 20 held-out pairs" in (result.folder / "README.md").read_text()


@pytest.mark.training
def test_top_layers_alone_are_trained_with_replayed_answers_and_force_is_recorded(
    run: Run, tiny_base: ModelFolder, tmp_path: Path
) -> None:
    prompts = tmp_path / "general.jsonl"
    prompts.write_text('{"prompt": "hello", "completion": "x"}\n' * 3)
    replay = {"replay_ratio": 0.125, "replay_dataset": str(prompts)}
    result = run(answers(40), freeze_trainable_layers=1, force=True, num_train_epochs=1, **replay)
    names = read_header(result.folder / ADAPTER_WEIGHTS)
    assert {name.split("layers.")[1][0] for name in names} == {"1"}
    check_servability(result.folder, max_lora_rank=4, base=tiny_base)
    data: Any = result.run["data"]
    assert result.run["forced"] is True
    assert data["floors"]["verdict"] == "below_pilot"
    # The base model's own answers are mixed in.
    assert result.run["replay"] == {"rows": 5, "distinct": 1}
    assert result.metrics["steps"] == 3  # 45 rows by 16


@pytest.mark.training
def test_more_top_layers_than_there_are_is_refused(run: Run) -> None:
    with pytest.raises(InvalidTrainingConfig, match="the base model has 2 layers"):
        run(answers(50), freeze_trainable_layers=3)


def test_replay_does_not_go_with_pairs() -> None:
    with pytest.raises(InvalidTrainingConfig, match="replay_ratio cannot be used with stage dpo"):
        parse_training_config(
            {
                "task": "t",
                "model_name_or_path": "b",
                "dataset": "d",
                "stage": "dpo",
                "replay_ratio": 0.1,
            }
        )


@pytest.mark.training
def test_what_is_cut_is_reported_and_rows_without_an_answer_are_warned_of(
    run: Run, events: list[TrainingEvent]
) -> None:
    prompts = [{"prompt": "what is the colour " * 10, "completion": "blue"}] * 4
    long = [{"prompt": "what", "completion": "blue " * 80}] * 2
    masked = [{"messages": [{"role": "user", "content": "a"}, *BACK, LAST]} for _ in range(3)]
    rows = [*answers(50), *prompts, *long, *masked]
    result = run(rows, cutoff_len=32, mask_history=True, max_steps=1)
    data: Any = result.run["data"]
    assert (data["answers_cut"], data["answers_left_out"]) == (2, 3)
    assert (data["answers"], data["rows_shortened"]) == (56, 4)
    assert data["tokens_cut"] == 4 * (15 + 4)
    counts = next(event.counts for event in events if event.event == "data")
    assert counts is not None
    assert counts == {name: data[name] for name in counts}
    assert [e.message for e in events if e.event == "warning"] == [
        "3 rows have no answer within cutoff_len"
    ]


BACK = [
    {"role": "assistant", "content": "blue " * 9},
    {"role": "user", "content": "green " * 9},
    {"role": "assistant", "content": "blue " * 9},
    {"role": "user", "content": "green " * 9},
]
LAST = {"role": "assistant", "content": "blue"}


@pytest.mark.training
def test_a_run_of_one_step_learns_and_its_id_depends_on_what_was_asked(run: Run) -> None:
    one = run(answers(16), force=True, num_train_epochs=1)
    assert one.metrics["steps"] == 1
    weights = load_file(one.folder / ADAPTER_WEIGHTS)
    assert any(tensor.any() for name, tensor in weights.items() if "lora_B" in name)
    other = run(answers(16), force=True, num_train_epochs=1, logging_steps=2)
    assert {name: tensor.tolist() for name, tensor in weights.items()} == {
        name: tensor.tolist() for name, tensor in load_file(other.folder / ADAPTER_WEIGHTS).items()
    }
    assert one.adapter_id != other.adapter_id, "another run, though it ends with the same weights"


@pytest.mark.training
def test_an_adapter_that_changes_nothing_is_refused(run: Run, tmp_path: Path) -> None:
    with pytest.raises(TrainingFailed, match="answers exactly as its base model does; raise"):
        run(answers(16), force=True, num_train_epochs=1, learning_rate=1e-30)
    assert list((tmp_path / "adapters").iterdir()) == []


def test_copies_do_not_count_towards_the_minimum(run: Run) -> None:
    rows = [*answers(49), *({**row, "prompt": f" {row['prompt']}？"} for row in answers(9))]
    with pytest.raises(TooFewRows, match=r"49 rows \(9 copies not counted\) are fewer than the 50"):
        run(rows)
    with pytest.raises(InvalidTrainingData, match="at least two rows are needed .11 copies"):
        run(answers(1) * 12, force=True)
    two = [*answers(1) * 6, {"prompt": "where is it", "completion": "here"}] * 2
    with pytest.raises(InvalidTrainingData, match="1 row to train on, 2 of 14 held out|1 row to"):
        run(two, force=True, val_size=0.1)


def test_an_evaluation_without_a_row_to_hold_out_is_refused_before_training(run: Run) -> None:
    same = [{"prompt": "what", "completion": f"answer {i}"} for i in range(8)]
    with pytest.raises(InvalidTrainingData, match="holds out none"):
        run(same, force=True, val_size=0.25, do_eval=True)


def test_names_that_are_no_layers_are_refused_with_those_there_are(
    run: Run, tmp_path: Path
) -> None:
    known = "down_proj, gate_proj, k_proj, o_proj, q_proj, up_proj, v_proj"
    for wrong in ("query_key_value", "q_proj,k_porj", "embed_tokens"):
        with pytest.raises(NotServable, match=f"no layer .*; it has {known}"):
            run(answers(8), force=True, lora_target=wrong)
    assert not (tmp_path / "adapters").exists()


@pytest.mark.training
def test_a_check_warns_of_copies(
    tmp_path: Path, tiny_base: ModelFolder, environment: Mapping[str, str]
) -> None:
    file = tmp_path / "rows.jsonl"
    rows = [*answers(50), *answers(2)]
    file.write_text("\n".join(json.dumps(row) for row in rows))
    keys = {"task": "t", "model_name_or_path": tiny_base.id, "dataset": str(file)}
    found = check_training(parse_training_config(keys), base=tiny_base, environment=environment)
    assert "2 rows are copies of others and count once" in found.warnings


def test_too_few_rows_are_refused_before_anything_starts(run: Run, tmp_path: Path) -> None:
    with pytest.raises(TooFewRows, match=r"49 rows are fewer than the 50 .*2000"):
        run(answers(49))
    assert not (tmp_path / "adapters").exists()


@pytest.mark.parametrize("force", [False, True])
def test_one_row_is_refused_even_by_force(run: Run, force: bool) -> None:
    with pytest.raises(InvalidTrainingData, match="at least two rows"):
        run(answers(1), force=force)


@pytest.mark.training
def test_a_loss_that_is_nan_ends_the_run(
    run: Run, events: list[TrainingEvent], tmp_path: Path
) -> None:
    base = make_tiny_model(tmp_path / "broken")
    weights = base.folder / "model.safetensors"
    tensors = load_file(weights)
    tensors["model.norm.weight"][0] = float("nan")
    save_file(tensors, weights, metadata={"format": "pt"})
    with pytest.raises(TrainingFailed, match="the loss is NaN at step 1; lower learning_rate"):
        run(answers(50), base=describe_base_model(base.folder), model_name_or_path="broken")
    assert any("the loss is NaN" in event.message for event in events if event.event == "warning")
    assert list((tmp_path / "adapters").iterdir()) == []


@pytest.mark.training
def test_a_check_counts_tokens_without_training(
    tmp_path: Path, tiny_base: ModelFolder, environment: Mapping[str, str]
) -> None:
    file = tmp_path / "pairs.jsonl"
    file.write_text("\n".join(json.dumps(row) for row in pairs(60)))
    config = parse_training_config(
        {
            "task": "t",
            "model_name_or_path": tiny_base.id,
            "dataset": str(file),
            "stage": "dpo",
            "num_train_epochs": 2,
        }
    )
    settings = AdaptersConfig(training_threads=1, training_nice=1)
    found = check_training(config, base=tiny_base, environment=environment, settings=settings)
    assert found.can_train
    assert found.counts is not None
    assert found.estimate is not None
    assert (found.counts["answers"], found.estimate.steps) == (60, 8)
    assert found.estimate.tokens == 2 * 2 * found.counts["tokens"]
    assert list(tmp_path.iterdir()) == [file]


def test_a_check_of_another_base_model_and_rank_says_both(
    tmp_path: Path, tiny_base: ModelFolder, environment: Mapping[str, str]
) -> None:
    config = parse_training_config(
        {"task": "t", "model_name_or_path": "b", "dataset": "missing.jsonl", "lora_rank": 512}
    )
    found = check_training(config, base=tiny_base, environment=environment)
    assert not found.can_train
    assert len(found.problems) == 3


@pytest.mark.parametrize("stage", METHODS)
def test_each_method_has_a_recipe_rows_and_an_openai_name(stage: str, tmp_path: Path) -> None:
    method = METHODS[stage]
    assert method.stage == stage
    assert method.openai_name
    assert find_spec(method.recipe) is not None, f"{method.recipe} holds no recipe"
    config = parse_training_config(
        {"task": "t", "model_name_or_path": "b", "dataset": "d", "stage": stage}
    )
    assert config.method is method
    assert {key: getattr(config, key) for key in method.defaults} == method.defaults
    assert {*method.openai_hyperparameters.values()} <= type(config).model_fields.keys()
    file = tmp_path / "rows.jsonl"
    file.write_text(json.dumps({"prompt": "q", **dict(zip(method.answers, "ab", strict=False))}))
    (example,) = method.to_examples(method.load([file]), False)
    assert [getattr(example, name).content for name in method.answers] == list(
        "ab"[: len(method.answers)]
    )


def test_an_unknown_method_is_refused_with_the_known_ones() -> None:
    values = {"task": "t", "model_name_or_path": "b", "dataset": "d", "stage": "ppo"}
    with pytest.raises(InvalidTrainingConfig, match="no method 'ppo'; known are sft, dpo"):
        parse_training_config(values)
