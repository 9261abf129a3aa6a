"""Several filters, one after the other."""

from adapters.data.filters.chain import filter_rows
from adapters.data.filters.keywords import KeywordSettings, filter_by_keywords
from tests.adapters.data.filters.rows import row

ROWS = [row("退款和发票", line=1), row("退款", line=2), row("天气", line=3)]


def test_each_filter_sees_what_the_ones_before_it_kept() -> None:
    filters = [filter_by_keywords(KeywordSettings(words=(word,))) for word in ("退款", "发票")]
    dropped: list[tuple[str, int]] = []
    going, reports = filter_rows(
        iter(ROWS), filters, lambda name, result: dropped.append((name, result.row.line))
    )
    assert (dropped, reports[0].rows) == ([], 0)  # nothing is read before it is asked for
    assert [one.line for one in going] == [1]
    assert [(report.rows, report.kept) for report in reports] == [(3, 2), (2, 1)]
    assert sorted(line for _, line in dropped) == [2, 3]
    assert len(ROWS) == 1 + len(dropped)


def test_without_filters_all_rows_go_on() -> None:
    going, reports = filter_rows(ROWS, [], lambda _name, _result: None)
    assert (list(going), reports) == (ROWS, [])
