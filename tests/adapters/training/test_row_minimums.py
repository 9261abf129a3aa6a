import pytest

from adapters import parse_training_config
from adapters.training.row_minimums import count_against_minimums


@pytest.mark.parametrize(
    ("keys", "min_rows", "recommended"),
    [
        ({}, 2_000, 5_000),
        ({"task_type": "classification"}, 2_000, 5_000),
        ({"task_type": "dialogue"}, 2_000, 10_000),
        ({"task_type": "qa", "domain": "legal"}, 2_600, 6_500),
    ],
)
def test_the_larger_of_method_and_task_counts(
    keys: dict[str, str], min_rows: int, recommended: int
) -> None:
    config = parse_training_config(
        {"task": "t", "model_name_or_path": "b", "dataset": "r.jsonl", **keys}
    )
    minimums = count_against_minimums(config, 100)
    assert (minimums.pilot, minimums.min_rows, minimums.recommended) == (50, min_rows, recommended)


@pytest.mark.parametrize(
    ("rows", "verdict"),
    [
        (49, "below_pilot"),
        (50, "pilot"),
        (1_999, "pilot"),
        (2_000, "enough"),
        (5_000, "recommended"),
    ],
)
def test_the_verdict_is_the_highest_minimum_reached(rows: int, verdict: str) -> None:
    config = parse_training_config({"task": "t", "model_name_or_path": "b", "dataset": "r.jsonl"})
    assert count_against_minimums(config, rows).verdict == verdict
