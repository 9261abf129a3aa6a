"""May this adapter serve? The thresholds of a policy file, applied to what was measured.

Knows numbers and the file; knows nothing of how they were measured, and publishes nothing.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import pydantic
import yaml
from pydantic import Field

from adapters.errors import InvalidGatePolicy
from adapters.evaluation.metrics import MetricName
from adapters.evaluation.statistics import McNemar, Score

DEFAULT_POLICY = Path(__file__).parents[1] / "gate_policy.yaml"

Verdict = Literal["IMPROVED", "REGRESSED", "REJECTED"]


class _Part(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)


class Threshold(_Part):
    """A number and where it comes from."""

    value: Annotated[float, Field(ge=0)]
    source: Annotated[str, Field(min_length=1)]


class Thresholds(_Part):
    """Points are hundredths of a score."""

    min_gain_points: Threshold
    max_p_value: Threshold
    guard_max_loss_points: Threshold
    guard_max_loss_items: Threshold


class TaskMetrics(_Part):
    """Which metric a word in a task's name asks for."""

    source: Annotated[str, Field(min_length=1)]
    words: Mapping[str, MetricName]


class GatePolicy(_Part):
    """The whole file."""

    version: int
    thresholds: Thresholds
    task_metrics: TaskMetrics


class GuardScore(_Part):
    """How many items of one guard category were answered well."""

    items: int
    base: int
    adapter: int


class Judgement(_Part):
    """The verdict and why.

    Attributes:
        verdict: `IMPROVED` may serve. `REGRESSED`: the task or a guard category got worse.
            `REJECTED`: nothing got worse, but a gain is not shown.
        reasons: What stands against the adapter, or what speaks for it; never empty.
    """

    verdict: Verdict
    reasons: tuple[str, ...]


def load_gate_policy(path: Path | None = None) -> GatePolicy:
    """Read a policy file; none reads the one that ships with this room.

    Raises:
        InvalidGatePolicy: The file is missing, no YAML, or a key or value is wrong.
    """
    file = path or DEFAULT_POLICY
    try:
        return GatePolicy.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError) as exc:
        raise InvalidGatePolicy(f"{file} cannot be read: {exc}") from exc
    except yaml.YAMLError as exc:
        raise InvalidGatePolicy(f"{file} is not YAML: {exc}") from exc
    except pydantic.ValidationError as exc:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in exc.errors())
        raise InvalidGatePolicy(f"{file}: {faults}") from exc


def judge(
    gain: Score, mcnemar: McNemar, guards: Mapping[str, GuardScore], policy: GatePolicy
) -> Judgement:
    """Return the verdict on an adapter.

    Args:
        gain: Score of the adapter less the base model's, on held-out rows.
        mcnemar: The same rows, one by one.
        guards: By category.
        policy: The thresholds.
    """
    limits = policy.thresholds
    points = 100 * gain.score
    is_clear = mcnemar.p_value < limits.max_p_value.value
    worse = [
        f"{name}: {score.adapter} of {score.items} guard items, base model {score.base}"
        for name, score in guards.items()
        if _fell(score, limits)
    ]
    if points < 0 and is_clear:
        worse.insert(
            0, f"{points:.1f} points compared with the base model, p = {mcnemar.p_value:.3g}"
        )
    if worse:
        return Judgement(verdict="REGRESSED", reasons=tuple(worse))
    lacking = []
    if round(points, 9) < limits.min_gain_points.value:
        lacking.append(
            f"{points:+.1f} points compared with the base model; "
            f"{limits.min_gain_points.value:g} are needed"
        )
    if not is_clear:
        lacking.append(
            f"p = {mcnemar.p_value:.3g} with {mcnemar.adapter_only} rows for and "
            f"{mcnemar.base_only} against it; below {limits.max_p_value.value:g} is needed"
        )
    if lacking:
        return Judgement(verdict="REJECTED", reasons=tuple(lacking))
    reason = f"{points:+.1f} points compared with the base model, p = {mcnemar.p_value:.3g}"
    return Judgement(verdict="IMPROVED", reasons=(reason, "no guard category got worse"))


def _fell(score: GuardScore, limits: Thresholds) -> bool:
    lost = score.base - score.adapter
    return (
        lost > limits.guard_max_loss_items.value
        and 100 * lost / score.items > limits.guard_max_loss_points.value
    )
