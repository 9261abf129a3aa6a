import time

import pytest

from knowledge.search.courtesy import without_courtesy


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        (
            "Hello, could you please tell me how I clean brass? Thanks in advance!",
            "how I clean brass?",
        ),
        ("Hi there, do you repair lamps?", "do you repair lamps?"),
        ("Good morning! I was wondering if I can return a lamp", "if I can return a lamp"),
        ("Do you know where the counter is?", "where the counter is?"),
        ("How long is the warranty please", "How long is the warranty"),
        (
            "Dear team,\nWhat does assembly cost?\n\nKind regards,\nPeter Novak",
            "What does assembly cost?",
        ),
        ("My name is Anna Schmidt, where do I pay?", "where do I pay?"),
        ("您好，请问灯具的保修期有多久？谢谢！", "灯具的保修期有多久？"),
        ("麻烦您告诉我自提柜台在哪里，谢谢您", "自提柜台在哪里，"),
        ("能不能帮我查一下退货面单多少天内有效", "退货面单多少天内有效"),
        ("你好，我叫李娜，几点开门", "几点开门"),
        ("您好，請問燈具的保固期有多久？謝謝！", "燈具的保固期有多久？"),
        ("麻煩您告訴我自提櫃檯在哪裡，謝謝您", "自提櫃檯在哪裡，"),
        ("能不能幫我查一下退貨面單多少天內有效", "退貨面單多少天內有效"),
        ("不好意思，打擾一下，我想請教退貨運費", "退貨運費"),
        ("唔該，請問運費點計？唔該晒", "運費點計？唔該晒"),
        ("勞駕幫忙問一下，衞生間喺邊度？多謝", "衞生間喺邊度？"),
    ],
)
def test_what_is_said_around_a_question_is_taken_away(said: str, asked: str) -> None:
    assert without_courtesy(said) == asked


@pytest.mark.parametrize(
    "asked",
    [
        "How do I say thanks in French?",
        "Where is the Hello Kitty shop?",
        "Hello Kitty opening hours",
        "May I return a lamp?",
        "Can you repair a lamp?",
        "谢谢用英语怎么说？",
        "我想退货",
    ],
)
def test_the_same_words_inside_a_question_stay(asked: str) -> None:
    assert without_courtesy(asked) == asked


@pytest.mark.parametrize(
    "said", ["Hello!", "Thank you so much!", "多谢", "多謝", "謝謝您", "你好", "Can you help me?"]
)
def test_of_mere_courtesy_nothing_is_left(said: str) -> None:
    assert without_courtesy(said) == ""


@pytest.mark.parametrize("said", ["thanks ", "谢谢", "regards a ", "hi, ", "i hope you are a "])
def test_very_polite_texts_take_no_longer(said: str) -> None:
    started = time.perf_counter()
    assert without_courtesy(said * 2000)
    assert time.perf_counter() - started < 0.5
