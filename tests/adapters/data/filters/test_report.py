"""What a filter did, told."""

from adapters.data.filters.report import MAX_SAMPLES, FilterReport
from adapters.data.filters.threshold import Threshold
from adapters.data.steps import drop, keep
from tests.adapters.data.filters.rows import row

LIMIT = Threshold("similarity", 0.5, True, "far_from_domain", "the test")


def report_of(scores: list[float]) -> FilterReport:
    report = FilterReport("similarity", LIMIT)
    for line, score in enumerate(scores, start=1):
        one = row(f"电话13812345678，第{line}", line=line)
        kept = LIMIT.keeps(score)
        report.add(
            keep(one, similarity=score) if kept else drop(one, LIMIT.reason, "", similarity=score)
        )
    return report


def test_shares_reasons_and_scores_are_counted() -> None:
    report = report_of([0.1, 0.4, 0.5, 0.9])
    report.add(drop(row("空", line=5), "no_score", ""))
    told = report.as_dict()
    assert (told["rows"], told["kept"], told["kept_share"]) == (5, 2, 0.4)
    assert told["dropped"] == {"far_from_domain": 2, "no_score": 1}
    assert list(report.scores) == [0.1, 0.4, 0.5, 0.9]
    assert (told["quantiles"]["0"], told["quantiles"]["0.5"]) == (0.1, 0.45)


def test_the_rows_nearest_to_the_threshold_are_shown_of_both_sides() -> None:
    report = report_of([n / 100 for n in range(100)])
    assert [one.line for one in report.kept_samples] == [51, 52, 53, 54, 55]
    assert [one.line for one in report.dropped_samples] == [50, 49, 48, 47, 46]
    assert len(report.kept_samples) == MAX_SAMPLES
    sample = report.kept_samples[0]
    assert (sample.file, sample.score) == ("rows.jsonl", 0.5)


def test_samples_show_no_personal_data() -> None:
    (sample,) = report_of([0.6]).kept_samples
    assert "138" not in sample.text
    assert sample.text.endswith("第1\n好的")


def test_nothing_can_be_told_of_no_rows() -> None:
    told = report_of([]).as_dict()
    assert (told["kept_share"], told["quantiles"], told["kept_samples"]) == (0.0, {}, [])
