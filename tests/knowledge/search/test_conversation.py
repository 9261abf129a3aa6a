import numpy as np
import pytest

from knowledge import Turn
from knowledge.search.conversation import MAX_CONTEXT_CHARS, blend, said_before

HISTORY = [
    Turn("system", "Be brief."),
    Turn("user", "one"),
    Turn("assistant", "two"),
    Turn("user", "three"),
    Turn("assistant", " "),
    Turn("assistant", "four"),
]


def test_the_last_turns_of_both_roles_are_one_text() -> None:
    assert said_before(HISTORY, turns=3) == "two three four"
    assert said_before(HISTORY, turns=9) == "one two three four"


@pytest.mark.parametrize(("history", "turns"), [([], 3), (HISTORY, 0), (HISTORY[:1], 3)])
def test_without_earlier_turns_there_is_no_context(history: list[Turn], turns: int) -> None:
    assert said_before(history, turns=turns) is None


def test_a_long_history_is_cut_from_its_beginning() -> None:
    text = said_before([Turn("user", "a" * 9000 + "end")], turns=3)
    assert text is not None
    assert text.endswith("aend")
    assert len(text) == MAX_CONTEXT_CHARS


def test_of_chinese_a_quarter_as_many_letters_are_kept() -> None:
    text = said_before([Turn("user", "年" * 900 + "ab" * 10)], turns=3)
    assert text == "年" * ((MAX_CONTEXT_CHARS - 20) // 4) + "ab" * 10
    assert said_before([Turn("user", "年假有几天？")], turns=3) == "年假有几天？"
    assert said_before([Turn("user", "я" * 9000)], turns=3) == "я" * MAX_CONTEXT_CHARS


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            '{"reply": "A lamp has 3 years.", "from": "handbook", "next": "none"}',
            "A lamp has 3 years.",
        ),
        ('```json\n{"answer": {"text": "Ask at gate 4, please."}}\n```', "Ask at gate 4, please."),
        ('[{"product": "lamp", "years": 3, "old": false, "note": null}]', "lamp 3"),
        ('{"回答": "灯具的保修期是三年。", "来源": "手册"}', "灯具的保修期是三年。"),
        ("{x} is a set", "{x} is a set"),
        ("[1] says so", "[1] says so"),
        ("{" * 5000, "{" * 1000),
    ],
)
def test_of_an_answer_in_json_the_values_are_read(content: str, said: str) -> None:
    assert said_before([Turn("assistant", content)], turns=3) == said


def test_of_a_json_answer_that_was_cut_off_the_keys_are_left_out() -> None:
    cut = Turn("assistant", '{"reply": "A lamp has a warranty", "from": "hand')
    said = said_before([cut], turns=3) or ""
    assert "A lamp has a warranty" in said
    assert "reply" not in said
    assert "from" not in said


def test_the_json_of_a_user_is_read_as_it_is() -> None:
    assert said_before([Turn("user", '{"lamp": 1}')], turns=3) == '{"lamp": 1}'


def test_a_blend_lies_between_and_has_length_one() -> None:
    one, other = np.eye(2, dtype=np.float32)
    mixed = blend(one, other, question_weight=0.6)
    assert np.linalg.norm(mixed) == pytest.approx(1.0)
    assert mixed[0] > mixed[1] > 0
