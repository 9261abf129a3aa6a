import numpy as np
import pytest

from knowledge import Turn
from knowledge.search.conversation import MAX_CONTEXT_CHARS, blend, question_with_history

HISTORY = [
    Turn("system", "Be brief."),
    Turn("user", "one"),
    Turn("assistant", "two"),
    Turn("user", "three"),
    Turn("assistant", " "),
    Turn("assistant", "four"),
]


def test_the_last_turns_of_both_roles_join_the_question() -> None:
    assert question_with_history("Why?", HISTORY, turns=3) == "two three four Why?"
    assert question_with_history("Why?", HISTORY, turns=9) == "one two three four Why?"


@pytest.mark.parametrize(("history", "turns"), [([], 3), (HISTORY, 0), (HISTORY[:1], 3)])
def test_without_earlier_turns_there_is_no_context(history: list[Turn], turns: int) -> None:
    assert question_with_history("Why?", history, turns=turns) is None


def test_a_long_history_is_cut_from_its_beginning() -> None:
    text = question_with_history("Why?", [Turn("user", "a" * 9000 + "end")], turns=3)
    assert text is not None
    assert text.endswith("aend Why?")
    assert len(text) == MAX_CONTEXT_CHARS + len(" Why?")


def test_of_chinese_a_quarter_as_many_letters_are_kept() -> None:
    text = question_with_history("为什么？", [Turn("user", "年" * 900 + "ab" * 10)], turns=3)
    assert text == "年" * ((MAX_CONTEXT_CHARS - 20) // 4) + "ab" * 10 + " 为什么？"
    short = question_with_history("为什么？", [Turn("user", "年假有几天？")], turns=3)
    assert short == "年假有几天？ 为什么？"
    letters = question_with_history("Почему?", [Turn("user", "я" * 9000)], turns=3)
    assert letters == "я" * MAX_CONTEXT_CHARS + " Почему?"


def test_a_blend_lies_between_and_has_length_one() -> None:
    one, other = np.eye(2, dtype=np.float32)
    mixed = blend(one, other, question_weight=0.6)
    assert np.linalg.norm(mixed) == pytest.approx(1.0)
    assert mixed[0] > mixed[1] > 0
