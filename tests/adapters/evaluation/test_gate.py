from pathlib import Path

import pytest

from adapters import InvalidGatePolicy
from adapters.evaluation import GuardScore, Judgement, Score, load_gate_policy
from adapters.evaluation.gate import DEFAULT_POLICY, judge
from adapters.evaluation.statistics import McNemar

POLICY = load_gate_policy()
FINE = {"general": GuardScore(items=20, base=15, adapter=15)}


def verdict(
    points: float, p_value: float = 0.001, guards: dict[str, GuardScore] | None = None
) -> Judgement:
    gain = Score(score=points / 100, low=0, high=0)
    mcnemar = McNemar(counts="right_rows", adapter_only=20, base_only=2, p_value=p_value)
    return judge(gain, mcnemar, guards or FINE, POLICY)


@pytest.mark.parametrize(
    ("points", "p_value", "expected"),
    [
        (3.0, 0.049, "IMPROVED"),
        (2.9, 0.001, "REJECTED"),  # too small a gain
        (30.0, 0.05, "REJECTED"),  # may be chance
        (-0.5, 0.3, "REJECTED"),  # not better, but not clearly worse
        (-0.5, 0.01, "REGRESSED"),
    ],
)
def test_the_verdict_follows_the_thresholds(points: float, p_value: float, expected: str) -> None:
    assert verdict(points, p_value).verdict == expected


@pytest.mark.parametrize(
    ("items", "base", "adapter", "expected"),
    [
        (20, 15, 13, "IMPROVED"),  # 10 points, but two items only
        (20, 15, 12, "REGRESSED"),  # 15 points and three items
        (100, 50, 45, "IMPROVED"),  # five items, but exactly five points
        (100, 50, 44, "REGRESSED"),
        (20, 5, 18, "IMPROVED"),
    ],
)
def test_a_guard_falls_by_points_and_items(
    items: int, base: int, adapter: int, expected: str
) -> None:
    guards = {**FINE, "chinese": GuardScore(items=items, base=base, adapter=adapter)}
    found = verdict(40, guards=guards)
    assert found.verdict == expected
    assert any("chinese" in reason for reason in found.reasons) == (expected == "REGRESSED")


def test_every_reason_is_told() -> None:
    guards = {"refusal": GuardScore(items=20, base=20, adapter=0)}
    found = verdict(-10, guards=guards)
    assert "-10.0 points" in found.reasons[0]
    assert "refusal: 0 of 20" in found.reasons[1]
    assert len(verdict(1, 0.9).reasons) == 2


def test_every_threshold_that_ships_names_its_source() -> None:
    for name in type(POLICY.thresholds).model_fields:
        assert getattr(POLICY.thresholds, name).source


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("min_gain_points:", "min_gain:"), "min_gain"),
        (("value: 3\n", "value: -3\n"), "thresholds.min_gain_points.value"),
        (("json: slot_f1", "json: slots"), "task_metrics.words.json"),
        (("version: 1", "version: [1"), "not YAML"),
    ],
)
def test_a_bad_policy_is_refused_by_key(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    file = tmp_path / "policy.yaml"
    text = DEFAULT_POLICY.read_text(encoding="utf-8")
    assert change[0] in text
    file.write_text(text.replace(*change), encoding="utf-8")
    with pytest.raises(InvalidGatePolicy, match=said):
        load_gate_policy(file)


def test_a_missing_policy_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidGatePolicy, match="cannot be read"):
        load_gate_policy(tmp_path / "none.yaml")
