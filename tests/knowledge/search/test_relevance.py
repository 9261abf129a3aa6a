import pytest

from knowledge.search.relevance import WEIGHTS, kind_of, relevance


def test_relevance_grows_with_nearness_and_with_words() -> None:
    low = relevance(0.4, 0.3, reads_passage=True)
    assert low < relevance(0.5, 0.3, reads_passage=True)
    assert low < relevance(0.4, 0.6, reads_passage=True)
    assert relevance(None, 0.1, reads_passage=True) < relevance(None, 0.4, reads_passage=True)


@pytest.mark.parametrize(
    ("nearness", "coverage", "is_relevant"),
    [
        (1.0, 0.8, True),  # an ordinary question with its passage
        (0.44, 0.2, False),  # a question about another world
        (0.82, None, True),
        (0.44, None, False),
        (None, 0.5, True),
        (None, 0.1, False),
    ],
)
def test_one_half_divides_alike_whatever_was_known(
    nearness: float | None, coverage: float | None, is_relevant: bool
) -> None:
    found = relevance(nearness, coverage, coverage or 0.0, reads_passage=True)
    assert (found >= 0.5) is is_relevant


def test_passages_that_hold_the_words_between_them_are_more_relevant() -> None:
    alone = relevance(0.57, 0.4, 0.4, reads_passage=True)
    assert alone < 0.4 < relevance(0.57, 0.4, 0.95, reads_passage=True)


def test_a_passage_with_most_of_the_words_is_relevant_however_far_its_vector() -> None:
    assert relevance(0.2, 0.55, 0.55, reads_passage=True) < 0.2
    assert relevance(0.2, 0.71, 0.71, reads_passage=True) > 0.6


def test_a_vector_of_text_the_embedder_does_not_read_only_takes_away() -> None:
    assert relevance(1.3, 0.1, reads_passage=True) > 0.9
    assert relevance(1.3, 0.1, reads_passage=False) < 0.1
    assert relevance(-0.1, 0.9, reads_passage=False) < 0.1


def test_every_kind_has_its_weights() -> None:
    assert {kind_of(c, w) for c, w in ((True, True), (True, False), (False, True))} == set(WEIGHTS)
