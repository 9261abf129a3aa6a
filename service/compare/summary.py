"""Summary of a comparison: scores with intervals, latency, and the winner.

It knows statistics; it does not know where the outcomes came from. A question that failed counts
as an error, never as a score.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from service.compare.intervals import mean_interval


def summarise(outcomes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the summary of `outcomes`, one row per question and strategy.

    Intervals are percentile bootstraps over questions, with a fixed seed.
    """
    names = list(dict.fromkeys(row["strategy"] for row in outcomes))
    strategies = {name: _of([r for r in outcomes if r["strategy"] == name]) for name in names}
    scored = {name: row for name, row in strategies.items() if row["n"]}
    return {
        "questions": len({row["id"] for row in outcomes}),
        "strategies": strategies,
        "by_kind_winner": _winners_by_kind(scored),
        "winner": _winner(scored, outcomes),
    }


def _of(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    good = [row for row in rows if row["score"] is not None]
    scores = [row["score"] for row in good]
    low, high = mean_interval(scores) if scores else (0.0, 1.0)
    kinds = list(dict.fromkeys(row["kind"] for row in good))
    latency = [row["latency_ms"] for row in good]
    first = [row["first_token_ms"] for row in good]
    return {
        "n": len(good),
        "errors": len(rows) - len(good),
        "score": round(sum(scores) / len(scores), 4) if scores else 0.0,
        "score_low": round(low, 4),
        "score_high": round(high, 4),
        "by_kind": {kind: _kind_score(good, kind) for kind in kinds},
        "latency_ms": _percentiles(latency),
        "first_token_ms": _percentiles(first),
        "prompt_tokens": _mean([row["prompt_tokens"] for row in good]),
        "completion_tokens": _mean([row["completion_tokens"] for row in good]),
    }


def _kind_score(rows: Sequence[Mapping[str, Any]], kind: str) -> dict[str, float]:
    scores = [row["score"] for row in rows if row["kind"] == kind]
    return {"n": len(scores), "score": round(sum(scores) / len(scores), 4)}


def _percentiles(values: Sequence[float]) -> dict[str, float]:
    if not values:
        return {"p50": 0.0, "p95": 0.0}
    p50, p95 = np.percentile(np.array(values), (50, 95))
    return {"p50": round(float(p50), 1), "p95": round(float(p95), 1)}


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / len(values), 1) if values else 0.0


def _winners_by_kind(strategies: Mapping[str, Mapping[str, Any]]) -> dict[str, list[str]]:
    kinds = dict.fromkeys(kind for row in strategies.values() for kind in row["by_kind"])
    winners = {}
    for kind in kinds:
        scores = {
            n: r["by_kind"][kind]["score"] for n, r in strategies.items() if kind in r["by_kind"]
        }
        best = max(scores.values())
        winners[kind] = [name for name, score in scores.items() if score == best]
    return winners


def _winner(
    strategies: Mapping[str, Mapping[str, Any]], outcomes: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return the fixed strategy with the best mean, and whether its lead is significant."""
    fixed = {name: row for name, row in strategies.items() if name != "auto"}
    if not fixed:
        return {"strategy": None, "clear": False, "because": "no question was answered"}
    ranked = sorted(fixed, key=lambda name: fixed[name]["score"], reverse=True)
    best = ranked[0]
    if len(ranked) == 1:
        return {"strategy": best, "clear": False, "because": "only one strategy was asked"}
    second = ranked[1]
    low, high = _paired_interval(best, second, outcomes)
    gap = fixed[best]["score"] - fixed[second]["score"]
    clear = low > 0
    because = (
        f"{best} scores {fixed[best]['score']:.2f}, {second} {fixed[second]['score']:.2f}; "
        f"difference {gap:+.2f}, 95 % interval {low:+.2f} to {high:+.2f} on the same questions"
        + ("" if clear else ": includes zero, so more questions are needed")
    )
    return {"strategy": best, "clear": clear, "because": because}


def _paired_interval(
    best: str, second: str, outcomes: Sequence[Mapping[str, Any]]
) -> tuple[float, float]:
    """Return the 95 % interval of the mean difference over questions that both answered."""
    scores: dict[str, dict[str, float]] = {best: {}, second: {}}
    for row in outcomes:
        if row["strategy"] in scores and row["score"] is not None:
            scores[row["strategy"]][row["id"]] = row["score"]
    shared = sorted(scores[best].keys() & scores[second].keys())
    if not shared:
        return -1.0, 1.0
    return mean_interval([scores[best][i] - scores[second][i] for i in shared])
