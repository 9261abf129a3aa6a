"""Several rankings into one, and what stands where in it."""

from knowledge.search.fusion import NEAREST_AT, Ranking, fuse

DENSE = Ranking("dense", (9, 1, 2, 3, 4, 5))
LEXICAL = Ranking("lexical", (1, 2, 3, 4, 5, 6))


def order(*, first: tuple[int, ...] = (), limit: int = 10, keeps_nearest: bool = True) -> list[int]:
    rankings = [DENSE, LEXICAL]
    fused = fuse(rankings, rrf_k=20, limit=limit, first=first, keeps_nearest=keeps_nearest)
    scores = [fused.scores[pk] for pk in fused.best]
    assert scores == sorted(scores, reverse=True)
    return list(fused.best)


def test_what_is_in_both_lists_stands_before_the_first_of_one() -> None:
    assert order(keeps_nearest=False) == [1, 2, 3, 4, 5, 9, 6]


def test_the_nearest_chunk_stands_third_at_the_latest() -> None:
    assert order() == [1, 2, 9, 3, 4, 5, 6]
    assert order().index(9) == NEAREST_AT - 1
    assert order(limit=3) == [1, 2, 9]


def test_the_nearest_chunk_stands_behind_what_a_code_names() -> None:
    assert order(first=(3, 4, 5, 6)) == [3, 4, 5, 6, 9, 1, 2]


def test_the_nearest_chunk_is_not_pushed_down() -> None:
    dense = Ranking("dense", (1, 9))
    fused = fuse([dense, LEXICAL], rrf_k=20, limit=3, keeps_nearest=True)
    assert fused.best[0] == 1
    assert fuse([LEXICAL], rrf_k=20, limit=2, keeps_nearest=True).best == (1, 2)
    assert fuse([Ranking("dense", ())], rrf_k=20, limit=2, keeps_nearest=True).best == ()
