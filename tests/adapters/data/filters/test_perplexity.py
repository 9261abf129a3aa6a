"""Rows that a base model predicts as well as those of the domain."""

from collections.abc import Sequence

import pytest

from adapters import InvalidRowFilter
from adapters.data.filters.perplexity import (
    MAX_REFERENCE,
    MIN_REFERENCE,
    PerplexitySettings,
    filter_by_perplexity,
)
from tests.adapters.data.filters.rows import row

DOMAIN = [row("问" * n, "-", n) for n in range(1, 102)]


class Measure:
    """The number of the text's letters; remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[list[str], list[str]]] = []

    def __call__(self, texts: Sequence[str], examples: Sequence[str]) -> list[float | None]:
        self.asked.append((list(texts), list(examples)))
        return [None if "空" in text else float(text.count("问")) for text in texts]


def test_rows_up_to_the_median_of_the_domain_go_on() -> None:
    measure = Measure()
    settings = PerplexitySettings(examples=0)
    step = filter_by_perplexity(settings, DOMAIN, measure, model_id="m")
    assert step.threshold.value == 51
    assert "quantile 0.5 of 101 rows" in step.threshold.source
    low, middle, high, none = step.run([row("问" * 3), row("问" * 51), row("问" * 52), row("空")])
    assert (low.is_dropped, middle.is_dropped) == (False, False)
    assert (high.reason, high.scores) == ("perplexity_too_high", {"perplexity": 52.0})
    assert (none.is_dropped, none.reason) == (True, "no_score")


def test_rows_of_the_domain_stand_before_each_text_and_are_not_measured() -> None:
    measure = Measure()
    step = filter_by_perplexity(PerplexitySettings(), DOMAIN, measure, model_id="m")
    list(step.run([row("问")]))
    (reference, examples), (texts, again) = measure.asked
    assert len(examples) == 3
    assert examples == again
    assert not set(examples) & set(reference)
    assert texts == ["问\n好的"]


def test_a_number_of_its_own_needs_no_rows_of_the_domain() -> None:
    measure = Measure()
    settings = PerplexitySettings(max_perplexity=2, examples=0)
    step = filter_by_perplexity(settings, [], measure, model_id="m")
    assert measure.asked == []
    assert [one.is_dropped for one in step.run([row("问问"), row("问问问")])] == [False, True]


def test_too_few_rows_of_the_domain_are_refused_and_of_many_some_are_measured() -> None:
    with pytest.raises(InvalidRowFilter, match=f"needs {MIN_REFERENCE + 3} rows"):
        filter_by_perplexity(PerplexitySettings(), DOMAIN[:22], Measure(), model_id="m")
    with pytest.raises(InvalidRowFilter, match="needs 3 rows .* there are 0"):
        filter_by_perplexity(PerplexitySettings(max_perplexity=9), [], Measure(), model_id="m")
    measure = Measure()
    filter_by_perplexity(PerplexitySettings(), DOMAIN * 6, measure, model_id="m")
    assert len(measure.asked[0][0]) == MAX_REFERENCE
