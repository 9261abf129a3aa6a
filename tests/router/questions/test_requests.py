"""Actions, errands, texts to be written, feelings: by verb and object, not by a word."""

from __future__ import annotations

import pytest

from router import ErrandKind, read_signals
from router.questions.requests import (
    asks_for_action,
    asks_for_writing,
    errand_of,
    voices_feeling,
)

ERRANDS = {
    "book me a flight": ErrandKind.TRAVEL,
    "i need a taxi to the airport": ErrandKind.TRAVEL,
    "order me a pizza for seven tonight": ErrandKind.FOOD,
    "could you get us tickets for the opera": ErrandKind.TICKETS,
    "turn the heating up": ErrandKind.DEVICE,
    "next song": ErrandKind.DEVICE,
    "remind me to call the bank": ErrandKind.DIARY,
    "text my mum that i am late": ErrandKind.MESSAGE,
    "transfer 50 euros to my brother": ErrandKind.MONEY,
    "帮我订两张周六的电影票": ErrandKind.TICKETS,
    "帮我订张机票": ErrandKind.TRAVEL,
    "给我点一份外卖": ErrandKind.FOOD,
    "把客厅的灯打开": ErrandKind.DEVICE,
    "请提醒我三点开会": ErrandKind.DIARY,
    "给小王发个短信": ErrandKind.MESSAGE,
    "帮我交一下电费": ErrandKind.MONEY,
}


@pytest.mark.parametrize("text", ERRANDS)
def test_an_errand_is_known_by_verb_and_object(text: str) -> None:
    assert errand_of(text) is ERRANDS[text]


@pytest.mark.parametrize(
    "text",
    [
        "i want to order a coffee table",
        "i'd like to open a trade account for my hotel",
        "i want to pay with visa",
        "please cancel order 4711",
        "i want to return my lamp",
        "email me the invoice",
        "book an assembly visit for tuesday",
        "is there a train station near you?",
        "how do i turn off the lamp?",
        "a second reminder costs 4 euros",
        "my pizza stone arrived broken",
        "我想买一盏餐厅用的灯",
        "帮我退货",
        "你们那里怎么打车",
        "请给我打电话",
        "门票贵吗,可以买吗",
        "可以打车去吗",
        "",
    ],
)
def test_what_a_shop_is_asked_is_no_errand(text: str) -> None:
    assert errand_of(text) is ErrandKind.NONE


def test_an_action_has_the_form_of_a_request() -> None:
    for text in (
        "please cancel order 4711",
        "hi, can you reset my password",
        "帮我退货",
        "我要取消订单",
    ):
        assert asks_for_action(text), text
    for text in ("my order is late", "the return was easy", "灯很漂亮", "what a mess"):
        assert not asks_for_action(text), text


def test_a_text_to_be_written_is_asked_for() -> None:
    for text in (
        "write a short apology to a customer",
        "请写一封感谢信",
        "draft me a friendly reply",
    ):
        assert asks_for_writing(text), text
    for text in ("i wrote a letter to you", "合同里写的通知期是多久?", "write down the prices"):
        assert not asks_for_writing(text), text


def test_a_feeling_is_voiced_and_nothing_wished() -> None:
    for text in ("your lamp arrived broken, what a mess", "我太失望了", "we love the new sofa"):
        assert voices_feeling(text), text
    for text in ("i would love a lamp", "is it beautiful?", "我想要漂亮的灯", "my lamp is late"):
        assert not voices_feeling(text), text


@pytest.mark.timeout(60, func_only=True)  # what takes exponential time never ends
@pytest.mark.parametrize(
    "unit",
    [
        "can you please ",
        "please ",
        "hi, can you ",
        "thanks! ",
        "帮我请",
        "我想要能不能",
        "“please ",
        "a: ",
    ],
)
def test_a_phrase_said_over_and_over_is_read_to_its_end(unit: str) -> None:
    said = unit * 300
    assert read_signals(said, [said], answered=True, instructions=[said]).question_chars == len(
        said
    )
