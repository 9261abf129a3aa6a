from types import SimpleNamespace
from typing import cast

from knowledge.search.passages import FoundRow
from knowledge.search.turns import in_turns


def rows(**texts: str) -> dict[int, FoundRow]:
    made = {
        int(name[1:]): SimpleNamespace(text=text, parent_start=None, version_pk=1)
        for name, text in texts.items()
    }
    return cast(dict[int, FoundRow], made)


def test_each_question_has_its_best_before_any_has_its_second() -> None:
    given = rows(p1="a", p2="b", p3="c", p4="d", p5="e")
    assert in_turns([(1, 2, 3), (4,), (5, 2)], given) == [1, 4, 5, 2, 3]


def test_a_chunk_that_answers_two_questions_is_given_once() -> None:
    assert in_turns([(1, 2), (1, 3)], rows(p1="a", p2="b", p3="c")) == [1, 2, 3]
    assert in_turns([(1, 2), (3, 2)], rows(p1="same", p2="b", p3="Same ")) == [1, 2]
