"""One spelling of a text, and where its letters stood."""

import pytest

from adapters.data.personal.spelling import spell


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("１３８（Ａ）＠", "138(A)@"),
        ("a\u3000b\u00a0c", "a b c"),
        ("1－2—3−4ー5", "1-2-3-4-5"),
        ("1·2•3．4", "1.2.3.4"),
        ("٣𝟏", "31"),
        ("12×", "12X"),
        ("价格，１０％。", "价格，10%。"),
        ("13800138000①", "13800138000①"),
        ("plain text", "plain text"),
        ("二〇一九年三月", "二〇一九年三月"),
        ("幺三八零零壹叁捌零零零", "13800138000"),
        ("67028866三个", "67028866三个"),
    ],
)
def test_a_letter_becomes_the_one_that_patterns_know(text: str, plain: str) -> None:
    assert spell(text).text == plain


def test_letters_without_width_are_left_out_and_places_kept() -> None:
    text = "a\u200b1\ufe0f\u20e32，b"
    read = spell(text)
    assert read.text == "a12，b"
    assert [text[slice(*read.span(at, at + 1))] for at in range(5)] == ["a", "1", "2", "，", "b"]
    assert text[slice(*read.span(1, 3))] == "1\ufe0f\u20e32"
