"""Sends rows through filters one after the other, and counts what each of them did.

It knows neither files nor what a filter looks at.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

from adapters.data.filters.report import FilterReport
from adapters.data.filters.threshold import ScoreFilter
from adapters.data.rows import Row
from adapters.data.steps import Result

OnDropped = Callable[[str, Result], None]
"""Is told the name of the filter and its result, for each row that is dropped."""


def filter_rows(
    rows: Iterable[Row], filters: Sequence[ScoreFilter], on_dropped: OnDropped
) -> tuple[Iterator[Row], list[FilterReport]]:
    """Return the rows that all filters keep, in their order, and a report of each filter.

    Args:
        rows: Read as they are asked for.
        filters: In their order; each sees what the ones before it kept.
        on_dropped: Told of each row that is dropped, once.

    Returns:
        The rows, filtered as they are read, and the reports, which are complete afterwards.
    """
    reports = [FilterReport(one.name, one.threshold) for one in filters]
    going = iter(rows)
    for one, report in zip(filters, reports, strict=True):
        going = _pass(one, going, report, on_dropped)
    return going, reports


def _pass(
    step: ScoreFilter, rows: Iterator[Row], report: FilterReport, on_dropped: OnDropped
) -> Iterator[Row]:
    for result in step.run(rows):
        report.add(result)
        if result.is_dropped:
            on_dropped(step.name, result)
        yield from result.rows
