"""Texts whose lines name who speaks become conversations."""

from pathlib import Path

import pytest

from adapters.data import Row
from adapters.data.pipeline.speakers import Speakers, SpeakersSettings
from adapters.data.structure import document_row
from tests.adapters.data.readiness.rows import row

FILE = Path("chat.txt")


def made(text: str, **settings: tuple[str, ...]) -> tuple[Row, ...]:
    (result,) = Speakers(SpeakersSettings(**settings)).run([document_row(text, FILE)])
    return result.rows if result.reason else ()


def said(text: str, **settings: tuple[str, ...]) -> list[list[str]]:
    return [
        [f"{turn.role[0]}:{turn.content}" for turn in one.messages]
        for one in made(text, **settings)
    ]


@pytest.mark.parametrize(
    ("text", "turns"),
    [
        ("问：多久退货？\n答：七天。", [["u:多久退货？", "a:七天。"]]),
        ("Q1: how long?\nA1: a week", [["u:how long?", "a:a week"]]),
        ("Q: a?\nA: b\n\nQ: c?\nA: d", [["u:a?", "a:b"], ["u:c?", "a:d"]]),
        ("客户：在吗\n客服：在的", [["u:在吗", "a:在的"]]),
        ("客户001：在吗\n客服小王：在的", [["u:在吗", "a:在的"]]),
        ("[2026-03-01 10:02] 客户：在吗\n[10:03] 客服：在", [["u:在吗", "a:在"]]),
        ("客户(2026-03-01 10:02:33)：在吗\n客服（10:03）：在", [["u:在吗", "a:在"]]),
        ("Customer: hi\nAgent 3: hello", [["u:hi", "a:hello"]]),
        ("用户:急\n用户:快点\n客服:好的\n  马上", [["u:急\n快点", "a:好的\n马上"]]),
        ("客服：您好\n客户：发票\n客服：可以\n客户：谢谢", [["u:发票", "a:可以"]]),
        (
            "**问：** 多久？\n\n**答：** 三天。\n\n## Q: 自提?\nA: 可以",
            [["u:多久？", "a:三天。"], ["u:自提?", "a:可以"]],
        ),
        (
            "1. 问：多久？\n   答：一年。\n2、问：怎么？\n答：打电话",
            [["u:多久？", "a:一年。"], ["u:怎么？", "a:打电话"]],
        ),
        ("2026/03/01 10:00\t客户: 哪了\n2026/03/01 10:01\t客服: 到了", [["u:哪了", "a:到了"]]),
        ("客户：a\n客服：b\n-----\n客户：c\n客服：d", [["u:a", "a:b"], ["u:c", "a:d"]]),
    ],
)
def test_who_speaks_is_read_from_the_label(text: str, turns: list[list[str]]) -> None:
    assert said(text) == turns


@pytest.mark.parametrize(
    "text",
    [
        "公司：成立于1999年。",
        "客户：在吗",
        "客服：您好",
        "一般文字。",
        "",
        "注意：\n用户须知",
        "问：？\n答：",
    ],
)
def test_other_texts_stay_texts(text: str) -> None:
    document = document_row(text, FILE)
    (result,) = Speakers(SpeakersSettings()).run([document])
    assert (result.rows, result.reason) == ((document,), "")


def test_a_conversation_says_its_day_and_what_made_it() -> None:
    (one,) = made("客户(2026年3月1日)：在吗\n客服：在")
    assert one.meta == {"source": "chat.txt", "made_by": "speakers", "date": "2026-03-01"}
    assert (one.file, one.line) == (FILE, 1)


def test_further_labels_can_be_named() -> None:
    assert said("甲方：在吗\n乙方：在") == []
    assert said("甲方：在吗\n乙方：在", asking=("甲方",), answering=("乙方",)) == [
        ["u:在吗", "a:在"]
    ]


def test_rows_are_left_alone() -> None:
    one = row("问：a", "答：b")
    (result,) = Speakers(SpeakersSettings()).run([one])
    assert result.rows == (one,)


def test_a_line_of_spaces_takes_no_long_time() -> None:
    assert said(f"客户{' ' * 200_000}\n{' ' * 200_000}x\n客户{' 1' * 100_000}") == []
