"""Rows near to a description, and near to other rows."""

import numpy as np
import pytest

from adapters import Domain, InvalidRowFilter
from adapters.data.filters.similarity import (
    MIN_LIKE,
    WINDOW,
    filter_by_likeness,
    filter_by_similarity,
)
from tests.adapters.data.filters.rows import row
from tests.fakes.embedder import FakeEmbedder

SUPPORT = [row(f"订单 {n} 退款什么时候到账", "退款三天内到账", n) for n in range(1, 21)]
OTHER = [row(f"今天天气 {n} 度", "适合出门散步", n) for n in range(1, 21)]


def test_rows_near_to_the_description_go_on_and_others_say_how_far_they_are() -> None:
    domain = Domain("退款到账", FakeEmbedder().embed_passages, 0.4, "the test")
    step = filter_by_similarity(domain, embedder_id="fake 1")
    near, far = step.run([SUPPORT[0], OTHER[0]])
    assert (near.is_dropped, far.is_dropped, far.reason) == (False, True, "far_from_domain")
    assert near.scores["similarity"] > 0.4 > far.scores["similarity"]
    assert "at least 0.4 needed" in far.detail
    assert step.settings == {"domain": "退款到账", "embedder": "fake 1", "threshold": 0.4}


def test_the_system_turn_does_not_bring_a_row_nearer() -> None:
    domain = Domain("退款到账", FakeEmbedder().embed_passages, 0.4, "the test")
    step = filter_by_similarity(domain, embedder_id="fake 1")
    with_system = row("今天天气 1 度", "适合出门散步", system="退款到账")
    plain, same = step.run([OTHER[0], with_system])
    assert plain.scores == same.scores


def test_rows_like_others_go_on_and_the_threshold_comes_from_these() -> None:
    embed = FakeEmbedder().embed_passages
    step = filter_by_likeness(SUPPORT[:15], embed, embedder_id="fake 1")
    results = list(step.run([*SUPPORT[15:], *OTHER]))
    assert sum(not one.is_dropped for one in results[:5]) >= 4
    assert all(one.is_dropped for one in results[5:])
    assert step.threshold.source == "95% of 15 rows of the domain reach it"


def test_the_threshold_of_likeness_leaves_each_row_out_of_its_own_mean() -> None:
    own = np.eye(MIN_LIKE, dtype=np.float32)  # rows that have nothing in common
    step = filter_by_likeness(SUPPORT[:MIN_LIKE], lambda _: own, embedder_id="fake 1")
    assert step.threshold.value == pytest.approx(0, abs=1e-6)


def test_a_minimum_that_is_given_counts_instead() -> None:
    embed = FakeEmbedder().embed_passages
    step = filter_by_likeness(SUPPORT, embed, embedder_id="fake 1", min_similarity=0.99)
    assert step.threshold.value == 0.99
    assert "as set" in step.threshold.source


def test_too_few_rows_to_compare_with_are_refused() -> None:
    with pytest.raises(InvalidRowFilter, match=f"{MIN_LIKE} rows .* there are 9"):
        filter_by_likeness(SUPPORT[:9], FakeEmbedder().embed_passages, embedder_id="fake 1")


def test_many_rows_are_embedded_at_once() -> None:
    sizes: list[int] = []

    def embed(texts: object) -> "np.ndarray[tuple[int, ...], np.dtype[np.float32]]":
        assert isinstance(texts, list)
        sizes.append(len(texts))
        return np.ones((len(texts), 1), dtype=np.float32)

    step = filter_by_similarity(Domain("x", embed, 0.5, "the test"), embedder_id="fake 1")
    assert len(list(step.run(SUPPORT * 120))) == 2_400
    assert sizes == [1, WINDOW, 2_400 - WINDOW]
