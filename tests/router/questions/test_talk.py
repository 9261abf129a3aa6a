"""Small talk, the assistant itself, the last answer: nothing else may be said beside it."""

from __future__ import annotations

import pytest

from router.questions.talk import (
    is_about_assistant,
    is_about_last_answer,
    is_small_talk,
    speaks_of_machine,
    without_chat,
)

SMALL_TALK = (
    "hello there",
    "what a week, i am so tired",
    "haha that is a good one",
    "it rained all day and now it's snowing lol",
    "how boring",
    "今天外面好热啊",
    "你真有意思",
    "终于下班了,累死了",
    "天气真好呀",
)
ABOUT_ASSISTANT = (
    "are you chatgpt?",
    "what languages do you speak",
    "can you answer in french?",
    "who trained you",
    "so what can you do for me exactly?",
    "is there a human behind this chat?",
    "你是chatgpt吗",
    "你能做什么",
    "你会说法语吗",
    "我在跟机器人聊天吗",
)
ABOUT_LAST_ANSWER = (
    "repeat that please",
    "yes please",
    "shorter",
    "say that again in chinese",
    "in one sentence",
    "i don't get it",
    "再用英文讲一次",
    "说简单点",
    "真的假的",
    "好的,请继续",
)
OF_FACT = (
    "are you open on sundays?",
    "can you deliver to leeds?",
    "thanks, and how long is the warranty?",
    "is your shop in paris",
    "what is your return policy",
    "is it hot in the workshop?",
    "can i talk to a human",
    "do you remember my order",
    "do you work on weekends?",
    "yes, and how much is it?",
    "haha, when do you open?",
    "你们几点开门",
    "你们今天上班吗",
    "要多少钱",
    "需要预约吗",
    "天气热的时候能送货吗",
    "order 12345",
)


@pytest.mark.parametrize("text", SMALL_TALK)
def test_it_is_small_talk(text: str) -> None:
    assert is_small_talk(text)
    assert not is_about_assistant(text)


@pytest.mark.parametrize("text", ABOUT_ASSISTANT)
def test_it_is_about_the_assistant(text: str) -> None:
    assert is_about_assistant(text)
    assert not is_about_assistant(f"{text} and the warranty, 保修")


@pytest.mark.parametrize("text", ABOUT_LAST_ANSWER)
def test_it_is_about_the_last_answer(text: str) -> None:
    assert is_about_last_answer(text)
    assert not is_about_last_answer(f"{text} and the warranty, 保修")


@pytest.mark.parametrize("text", OF_FACT)
def test_a_question_of_fact_is_none_of_them(text: str) -> None:
    assert not is_small_talk(text)
    assert not is_about_assistant(text)
    assert not is_about_last_answer(text)


@pytest.mark.parametrize("text", ["i'm so tired 24", "so tired " * 40, "太累了 24", "哈哈 " * 90])
def test_remarks_have_no_numbers_and_are_short(text: str) -> None:
    assert not is_small_talk(text) or text.startswith("哈哈")
    assert not is_about_last_answer("shorter " * 40)
    assert not is_about_assistant("are you " * 40)


@pytest.mark.parametrize(
    ("text", "is_spoken_of"),
    [
        ("you look like a bot to me", True),
        ("are you by any chance a machine?", True),
        ("那边是机器人吧", True),
        ("这边是人工客服还是机器人", True),
        ("this is a robot vacuum", False),
        ("are you selling the human anatomy poster", False),
        ("can you put me through to a person", False),
        ("这边是不是有机器人餐厅", False),
        ("you sound like a person who knows my order", False),
    ],
)
def test_a_machine_that_answers_is_spoken_of(text: str, is_spoken_of: bool) -> None:
    assert speaks_of_machine(text) is is_spoken_of


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("hi, thanks! do you mend clocks", "do you mend clocks"),
        ("谢谢,要等几周", "要等几周"),
        ("do you mend clocks? thanks", "do you mend clocks? thanks"),
        ("hello", ""),
    ],
)
def test_greetings_before_a_question_are_taken_out(text: str, rest: str) -> None:
    assert without_chat(text) == rest
