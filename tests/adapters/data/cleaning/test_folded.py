"""What of a row is compared."""

import pytest

from adapters.data.cleaning.folded import fold_row
from tests.adapters.data.cleaning.rows import row


def test_turns_are_folded_and_the_system_turn_stands_apart() -> None:
    folded = fold_row(row("A？", "B!", "Ｃ", "D.", system="S。", rejected="E"))
    assert (folded.system, folded.question, folded.answer) == ("s", "a\nb\nc", "d\ne")


def test_signs_alone_stay_as_they_are() -> None:
    assert fold_row(row("？", "!")).question == "？"


@pytest.mark.parametrize(
    ("turns", "is_label"),
    [
        (("退货", "可以"), True),
        (("退货", "cancel_order_within_a_week"), True),
        (("退货", '{"a": "一二三四五六七八九十"}'), True),
        (("退货", "请在七天之内联系人工客服"), False),
        (("退货", "可以", "谢谢", "不客气"), False),
    ],
)
def test_short_answers_words_and_json_are_labels(turns: tuple[str, ...], is_label: bool) -> None:
    assert fold_row(row(*turns)).is_label is is_label
