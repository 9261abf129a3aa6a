"""The histogram of a filter's scores."""

from pathlib import Path

import pytest

from adapters.data.filters.histogram import draw_histogram
from adapters.data.filters.report import FilterReport
from adapters.data.filters.threshold import Threshold
from adapters.data.steps import drop, keep
from tests.adapters.data.filters.rows import row


@pytest.mark.parametrize(
    "scores", [[0.1, 0.2, 0.7], [0.5], [-0.3, 0.0, 0.9], [1.2, 40.0, 90_000.0]]
)
def test_scores_are_drawn_as_svg(tmp_path: Path, scores: list[float]) -> None:
    limit = Threshold("score", 0.5, True, "too_low", "the test")
    report = FilterReport("any", limit)
    for score in scores:
        kept = limit.keeps(score)
        report.add(keep(row("q"), score=score) if kept else drop(row("q"), "x", "", score=score))
    file = tmp_path / "any.svg"
    draw_histogram(report, file)
    drawn = file.read_text(encoding="utf-8")
    assert "<svg" in drawn
    assert f"<!-- kept: {report.kept} -->" in drawn
    assert "<!-- at least 0.5 -->" in drawn
