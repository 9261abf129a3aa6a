"""Words of a list in rows."""

import pytest
from pydantic import ValidationError

from adapters.data.filters.keywords import KeywordSettings, filter_by_keywords
from tests.adapters.data.filters.rows import row


def count(text: str, *words: str, system: str = "") -> float:
    """Return how many of the words are found in a question."""
    step = filter_by_keywords(KeywordSettings(words=words))
    (result,) = step.run([row(text, "-", system=system)])
    return result.scores["keywords"]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("我要退款，谢谢", "退款"),
        ("我要退 款", "退款"),  # spaces that chat programs put in
        ("退\u200b款多久到", "退款"),
        ("５Ｇ套餐怎么办", "5g套餐"),
        ("Please REFUND me", "refund"),
        ("请refund给我", "refund"),  # Han letters beside it are no part of the word
        ("Ｒｅｆｕｎｄ", "refund"),
        ("where is my  tracking\nnumber?", "tracking number"),
        ("两次refunds了", "refund*"),
        ("C++代码", "c++"),
        ("每月99元", "99"),
        ("ошибка в заказе", "заказе"),
    ],
)
def test_a_word_is_found_as_people_write_it(text: str, word: str) -> None:
    assert count(text, word) == 1


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("a scarf", "car"),
        ("cars", "car"),
        ("prefund", "refund*"),
        ("订单1999", "99"),
        ("退货和贷款", "退款"),
        ("tracking of the number", "tracking number"),
    ],
)
def test_a_part_of_another_word_is_none(text: str, word: str) -> None:
    assert count(text, word) == 0


def test_different_words_are_counted_not_places() -> None:
    assert count("退款退款退款", "退款", "发票") == 1
    assert count("退款和发票 refund", "退款", "发票", "refund") == 3
    assert count("Refund", "refund", "REFUND", "Ｒefund") == 1


def test_the_system_turn_does_not_count_and_the_answer_does() -> None:
    assert count("你好", "退款", system="你是退款客服") == 0
    step = filter_by_keywords(KeywordSettings(words=("退款",)))
    (result,) = step.run([row("你好", "退款已到账")])
    assert not result.is_dropped


def test_a_row_with_too_few_words_is_dropped_with_their_number() -> None:
    step = filter_by_keywords(KeywordSettings(words=("退款", "发票"), min_words=2))
    kept, dropped = step.run([row("退款和发票"), row("退款")])
    assert not kept.is_dropped
    assert (dropped.reason, dropped.detail, dict(dropped.scores)) == (
        "too_few_keywords",
        "keywords 1, at least 2 needed",
        {"keywords": 1.0},
    )


@pytest.mark.parametrize("words", [(), ("",), ("，",), ("*",)])
def test_a_word_without_letters_is_refused(words: tuple[str, ...]) -> None:
    with pytest.raises(ValidationError):
        KeywordSettings(words=words)
