import math

import numpy as np
import pytest

from knowledge import (
    TooFewQuestions,
    cross_fit,
    fit_min_relevance,
    hit,
    interval,
    ndcg,
    recall,
    reciprocal_rank,
)

FOUND = ["a", "b", "c", "d", "e", "f"]


def test_hit_counts_one_gold_id_within_the_cutoff() -> None:
    assert [hit(FOUND, {"c", "x"}, cutoff=k) for k in (1, 2, 3, 10)] == [0.0, 0.0, 1.0, 1.0]


def test_recall_is_the_share_of_all_gold_ids() -> None:
    assert recall(FOUND, {"b", "f", "x"}, cutoff=5) == pytest.approx(1 / 3)
    assert recall(FOUND, {"b", "f", "x"}, cutoff=6) == pytest.approx(2 / 3)


def test_reciprocal_rank_counts_from_the_first_gold_id() -> None:
    assert reciprocal_rank(FOUND, {"c", "e"}, cutoff=10) == pytest.approx(1 / 3)
    assert reciprocal_rank(FOUND, {"c"}, cutoff=2) == 0.0


def test_ndcg_by_hand() -> None:
    # gold at ranks 2 and 4; ideally at 1 and 2
    gained = 1 / math.log2(3) + 1 / math.log2(5)
    assert ndcg(FOUND, {"b", "d"}, cutoff=10) == pytest.approx(gained / (1 + 1 / math.log2(3)))
    assert ndcg(FOUND, {"a", "b"}, cutoff=10) == pytest.approx(1.0)
    assert ndcg(FOUND, {"x"}, cutoff=10) == 0.0


def test_an_interval_holds_the_mean_and_narrows_with_the_sample() -> None:
    few, many = interval([0.0, 1.0] * 10), interval([0.0, 1.0] * 1000)
    assert few.value == many.value == 0.5
    assert few.low < many.low < 0.5 < many.high < few.high
    assert interval([1.0] * 5).low == interval([1.0] * 5).high == 1.0


def test_the_least_relevance_lies_below_nearly_all_answerable_questions() -> None:
    values = np.arange(1000) / 1000
    least = fit_min_relevance(values, most_flagged=0.05)
    assert 0.03 < (values < least).mean() <= 0.05
    assert fit_min_relevance([0.7] * 50) == 0.7
    assert fit_min_relevance([0.3, 0.9]) == 0.3


def test_cross_fitting_keeps_the_promise_on_questions_not_seen() -> None:
    draws = np.random.default_rng(1)
    answerable, other = draws.normal(1.0, 0.3, 2000), draws.normal(0.0, 0.3, 500)
    fit = cross_fit(answerable, other)
    assert 0.03 < fit.flagged_answerable.mean() <= 0.05
    assert 0.9 < fit.flagged_unanswerable.mean() < 1.0
    assert (len(fit.fold_values), len(fit.flagged_answerable)) == (5, 2000)


def test_a_question_never_fits_the_value_that_flags_it() -> None:
    # five questions, one much lower: in sample it sets the value, and would not be flagged
    values = [0.1, 0.9, 0.9, 0.9, 0.9]
    assert fit_min_relevance(values) == 0.1
    assert list(cross_fit(values).flagged_answerable) == [1.0, 0.0, 0.0, 0.0, 0.0]


def test_unanswerable_questions_fit_nothing() -> None:
    known = np.linspace(0.4, 1.0, 50)
    assert cross_fit(known, [0.0]).min_relevance == cross_fit(known, [1.0] * 99).min_relevance


def test_fewer_questions_than_folds_are_refused() -> None:
    with pytest.raises(TooFewQuestions, match="4 answerable questions"):
        cross_fit([0.5] * 4)
