"""A text is given where the message says so and has one, or a system turn brings what is asked."""

from __future__ import annotations

import pytest

from router.questions.given_text import has_given_text, is_answered_by, shares_words


@pytest.mark.parametrize(
    "text",
    [
        "translate to french: thank you and have a nice day",
        "make this sound polite: thanks, bye, don't call again",
        "把这句改得客气一点:你好,别再打电话了",
        'translate "where is the counter?" into chinese',
        "把“你们几点开门?”翻译成英文",
        "could you rewrite this? the parcel is late.",
        "summarise the following text.\nthe train was late and so were we.",
        "here is an email:\nmy lamp came without a cable\nwhat is missing?",
        "<document>the garden opens in april</document> when does it open?",
        "based on the text below, who leads?\n---\nkim leads the team",
        "convert to json: name ana, age 31",
        "根据下面的文字回答:河畔社每周五聚会。什么时候聚会?",
        "这段话讲了什么?\n蜜蜂正在减少,它们需要花。",
        "fix this code: ```for i in range(3) print(i)```",
    ],
)
def test_a_text_is_brought_along(text: str) -> None:
    assert has_given_text(text)


@pytest.mark.parametrize(
    "text",
    [
        "translate your return policy into spanish",
        "summarize your warranty: what is covered by it",
        "answer as json: what does a shade ring cost?",
        "list your payment methods",
        "概括一下会员俱乐部的好处",
        "把你们的退货政策翻译成英文:谢谢你们了",
        "i have a question: how long is the warranty?",
        "请回答以下问题:你们几点开门",
        'how much is the "pelican" lamp?',
        "rewrite this:",
        "make this shorter: ok",
        "note: my order number is 4711 and it is late",
        "",
    ],
)
def test_no_text_is_brought_along(text: str) -> None:
    assert not has_given_text(text)


CONTEXT = "use this context:\nthe choir of elm hall meets every tuesday. new singers are welcome."
CONTEXT_ZH = "请根据以下资料回答:\n榆树堂合唱团每周二晚上聚会,欢迎新成员。"


def test_a_system_turn_answers_what_it_speaks_of() -> None:
    assert is_answered_by("when does the choir meet?", [CONTEXT])
    assert is_answered_by("合唱团什么时候聚会?", ["你是客服。", CONTEXT_ZH])
    assert is_answered_by("when is it?", [CONTEXT])
    assert is_answered_by("合唱团什么时候聚会?", [CONTEXT])
    assert is_answered_by("who may enter?", ["<document>members may enter at noon</document>"])
    assert not is_answered_by("how much does express delivery cost?", [CONTEXT])
    assert not is_answered_by("加急配送多少钱?", [CONTEXT_ZH])
    assert not is_answered_by("when does the choir meet?", ["you are the choir's help desk."])
    assert not is_answered_by("when does the choir meet?", ["use this context:\nchoir"])
    assert not is_answered_by("when does the choir meet?", [])


def test_of_a_long_text_both_ends_are_compared() -> None:
    filler = "nothing of interest. " * 5_000
    assert shares_words("when does the choir meet?", f"{filler} the choir meets on tuesdays")
    assert shares_words("when does the choir meet?", f"the choir meets on tuesdays {filler}")
    assert not shares_words("when does the choir meet?", f"{filler} choir meets {filler}")
