"""Rows that differ by a few letters, and rows that differ in what they say."""

import random

import pytest

from adapters.data.cleaning import Near, NearSettings
from adapters.data.rows import Row
from tests.adapters.data.cleaning.rows import row, rows

ANSWER = "请打开设置，进入账号与安全页面，然后点击修改登录密码，按提示操作即可。"
ENGLISH = "Open the settings, go to the security page and choose a new password there, please."


def dropped(*given: Row) -> list[bool]:
    return [result.is_dropped for result in Near().run(given)]


@pytest.mark.parametrize(
    "copy",
    [
        ("请问如何修改我的登陆密码", ANSWER.replace("登录", "登陆")),
        ("请问如何修改我的登录密码呢", ANSWER.replace("然后", "")),
        ("请问如何修改我的登录密码", "您好，" + ANSWER),
    ],
)
def test_a_chinese_row_with_a_few_other_letters_is_dropped(copy: tuple[str, str]) -> None:
    given = rows(("请问如何修改我的登录密码", ANSWER), copy)
    results = list(Near().run(given))
    assert [result.reason for result in results] == ["", "near_duplicate"]
    assert results[1].detail == "nearly the same as rows.jsonl:1"


def test_an_english_row_with_typing_errors_is_dropped() -> None:
    typed = ENGLISH.replace("settings", "setings").replace("choose", "chose")
    given = rows(("How can I change my password?", ENGLISH), ("how can i chnge my pasword", typed))
    assert dropped(*given) == [False, True]


def test_another_answer_or_another_question_is_another_row() -> None:
    given = rows(
        ("请问如何修改我的登录密码", ANSWER),
        ("请问如何修改我的登录密码", "请联系人工客服为您处理，工作时间为早九点到晚六点。"),
        ("请问如何找回已经删除的聊天记录", ANSWER),
    )
    assert dropped(*given) == [False, False, False]


def test_rows_that_differ_in_numbers_stay() -> None:
    told = "{}元套餐包含{}G流量，超出后按一元每G计费，次月自动续订。"
    given = rows(
        *[
            (f"请问{n}元的套餐包含多少流量", told.format(n, g))
            for n, g in ((58, 20), (88, 40), (98, 60))
        ]
    )
    assert dropped(*given) == [False, False, False]


def test_numbers_that_an_equal_json_answer_tells_are_typing_errors() -> None:
    ask, said = "请推荐一家价格在{}元的酒店", '{"price": "200-300"}'
    assert dropped(*rows((ask.format("200-300"), said), (ask.format("200-3000"), said)))[1]
    said = '{"intent": "hotel"}'
    assert not dropped(*rows((ask.format("200-300"), said), (ask.format("400-500"), said)))[1]


def test_labels_and_json_must_be_equal() -> None:
    ask = "我想取消昨天下的那个订单怎么操作"
    labels = (
        "cancel_order",
        "cancel_orders",
        '{"a": "好吃的"}',
        '{"a": "难吃的"}',
        "可以",
        "不可以",
    )
    assert dropped(*rows(*[(ask, label) for label in labels])) == [False] * 6
    assert dropped(*rows((ask, "cancel_order"), (ask + "啊", "cancel_order"))) == [False, True]


def test_other_passages_make_another_row() -> None:
    given = [row("请问灯的价格是多少", ANSWER, system=system) for system in ("[1] 灯", "[1] 椅")]
    assert dropped(*given) == [False, False]


def test_copies_are_found_across_batches_and_everything_else_stays() -> None:
    rng = random.Random(4)
    letters = [chr(code) for code in range(0x4E00, 0x5E00)]
    texts = [
        ("".join(rng.choices(letters, k=20)), "".join(rng.choices(letters, k=40)))
        for _ in range(2_300)
    ]
    copies = [(ask[:3] + "们" + ask[4:], said[:-1]) for ask, said in texts[::100]]
    results = list(Near().run(rows(*texts, *copies)))
    assert [result.is_dropped for result in results] == [False] * 2_300 + [True] * 23
    assert results[-1].detail == "nearly the same as rows.jsonl:2201"


def test_no_difference_allowed_means_folded_copies_alone() -> None:
    given = rows(
        ("请问如何修改密码", ANSWER), ("请问，如何修改密码？", ANSWER), ("请问如何改密码", ANSWER)
    )
    results = Near(NearSettings(max_difference=0)).run(given)
    assert [result.is_dropped for result in results] == [False, True, False]
