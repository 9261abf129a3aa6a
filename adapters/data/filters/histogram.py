"""Draws the scores of a filter with its threshold. Knows numbers only; draws without a display."""

from pathlib import Path

import numpy as np

from adapters.data.filters.report import FilterReport

BARS = 40
_MOST_ON_A_LINE = 50.0  # largest score over smallest, from which the axis is logarithmic


def draw_histogram(report: FilterReport, file: Path) -> None:
    """Draw how many rows have which score, kept and dropped ones, as an SVG file.

    Args:
        report: Complete, with at least one score.
        file: To write; its folder must exist.
    """
    from matplotlib.figure import Figure  # takes 0.3 s: only where something is drawn

    scores, limit = report.scores, report.threshold
    low, high = min(scores.min(), limit.value), max(scores.max(), limit.value)
    is_log = low > 0 and high / low > _MOST_ON_A_LINE
    if low == high:
        low, high = low - 0.5, high + 0.5
    edges = np.geomspace(low, high, BARS + 1) if is_log else np.linspace(low, high, BARS + 1)
    is_kept = scores >= limit.value if limit.is_minimum else scores <= limit.value
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    for part, colour, name in (
        (scores[is_kept], "tab:blue", f"kept: {report.kept:,}"),
        (scores[~is_kept], "tab:gray", f"dropped: {report.rows - report.kept:,}"),
    ):
        axes.hist(part, bins=edges.tolist(), color=colour, alpha=0.8, label=name)
    axes.axvline(limit.value, color="tab:red", label=str(limit))
    if is_log:
        axes.set_xscale("log")
    axes.set_xlabel(limit.score)
    axes.set_ylabel("rows")
    axes.legend()
    figure.savefig(file, metadata={"Date": None})
