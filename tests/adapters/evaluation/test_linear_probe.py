"""What a linear layer on the frozen tiny model says about rows."""

import json
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from adapters import (
    AdaptersConfig,
    ModelFolder,
    NoClosedLabels,
    TrainingConfig,
    parse_training_config,
    probe_rows,
)
from adapters.data import load_rows
from adapters.evaluation.linear_probe import MAX_ROWS, _choose, _score

WORDS = "what is the colour of a sky grass house json".split()


def config_of(folder: Path, rows: list[dict[str, Any]], **values: Any) -> TrainingConfig:
    file = folder / "rows.jsonl"
    file.write_text("\n".join(json.dumps(row) for row in rows))
    keys = {"task": "t", "model_name_or_path": "tiny", "dataset": str(file), **values}
    return parse_training_config(keys)


def labelled(count: int, *, follows: bool) -> list[dict[str, Any]]:
    """Rows of random words; the label tells which of two words stands in them, or nothing."""
    draw = random.Random(3)
    rows = []
    for i in range(count):
        word, label = [("blue", "cold"), ("green", "warm")][i % 2]
        said = [*draw.choices(WORDS, k=6), word if follows else "user"]
        draw.shuffle(said)
        rows.append({"prompt": " ".join(said), "completion": label})
    return rows


@pytest.mark.training
def test_a_signal_that_is_in_the_prompts_is_found_and_said(
    tmp_path: Path, tiny_base: ModelFolder, environment: Mapping[str, str]
) -> None:
    config = config_of(tmp_path, labelled(80, follows=True))
    told: list[str] = []
    found = probe_rows(
        config,
        base=tiny_base,
        environment=environment,
        settings=AdaptersConfig(training_threads=1),
        on_progress=lambda event: told.append(event.message),
    )
    assert (found.rows, set(found.labels)) == (80, {"cold", "warm"})
    assert found.verdict == "signal_present"
    assert found.accuracy.score >= 0.9 > found.majority_accuracy.score
    assert found.accuracy.low <= found.accuracy.score <= found.accuracy.high
    assert found.macro_f1.score > found.majority_macro_f1.score
    assert found.gain.low > 0
    assert "training may not be needed" in found.says
    assert found.as_dict()["accuracy"]["score"] == found.accuracy.score
    assert told[-1] == "80 of 80 prompts read"


@pytest.mark.training
def test_no_signal_is_found_where_there_is_none(
    tmp_path: Path, tiny_base: ModelFolder, environment: Mapping[str, str]
) -> None:
    config = config_of(tmp_path, labelled(80, follows=False))
    found = probe_rows(config, base=tiny_base, environment=environment)
    assert found.verdict == "no_signal"
    assert found.accuracy.score < 0.8
    assert "no better than the most frequent label" in found.says


def test_rows_whose_answers_are_no_labels_are_refused_with_what_the_probe_is_for(
    tmp_path: Path, tiny_base: ModelFolder, environment: Mapping[str, str]
) -> None:
    free = [{"prompt": f"q{i}", "completion": f"an answer of its own {i}"} for i in range(60)]
    with pytest.raises(NoClosedLabels, match="60 different answers in 60 rows") as refused:
        probe_rows(config_of(tmp_path, free), base=tiny_base, environment=environment)
    assert "for classification" in str(refused.value)
    same = [{"prompt": f"q{i % 3}", "completion": "ab"[i % 2]} for i in range(60)]
    with pytest.raises(NoClosedLabels, match="6 different rows of 60|0 different rows of 60"):
        probe_rows(config_of(tmp_path, same), base=tiny_base, environment=environment)
    pairs = [{"prompt": f"q{i}", "chosen": "a", "rejected": "b"} for i in range(60)]
    with pytest.raises(NoClosedLabels, match="preference pairs"):
        probe_rows(config_of(tmp_path, pairs, stage="dpo"), base=tiny_base, environment=environment)


def test_repeated_rows_and_rare_labels_are_left_out_and_counted(tmp_path: Path) -> None:
    rows = [{"prompt": f"q{i}", "completion": "ab"[i % 2]} for i in range(40)]
    rows += rows[:3]
    rows += [{"prompt": f"r{i}", "completion": "c", "source": "one page"} for i in range(9)]
    chosen, left_out = _choose(load_rows(config_of(tmp_path, rows).dataset), seed=1)
    assert left_out == {"repeated": 3, "rare_label": 9}
    assert {one.label for one in chosen} == {"a", "b"}
    assert len({one.group for one in chosen}) == 40


def test_of_many_rows_a_part_is_read(tmp_path: Path) -> None:
    rows = [{"prompt": f"q{i}", "completion": "ab"[i % 2]} for i in range(MAX_ROWS + 7)]
    chosen, left_out = _choose(load_rows(config_of(tmp_path, rows).dataset), seed=1)
    assert (len(chosen), left_out) == (MAX_ROWS, {"over_limit": 7})


@pytest.mark.parametrize(
    ("right", "verdict"), [(100, "signal_present"), (80, "signal_partial"), (52, "no_signal")]
)
def test_the_verdict_follows_from_accuracy_and_its_gain(right: int, verdict: str) -> None:
    labels = ["a", "b"] * 50
    wrong = ["b" if label == "a" else "a" for label in labels]
    guesses = [*labels[:right], *wrong[right:]]
    found = _score(labels, {"guesses": guesses, "majority": ["a"] * 100}, {}, "tiny")
    assert found.accuracy.score == pytest.approx(right / 100)
    assert found.majority_accuracy.score == pytest.approx(0.5)
    assert found.gain.score == pytest.approx(right / 100 - 0.5)
    assert found.verdict == verdict
