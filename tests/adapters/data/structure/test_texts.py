from pathlib import Path

import pytest

from adapters.data.structure.texts import as_text, document_row, is_chinese, pieces
from tests.adapters.data.structure.conftest import qa


def test_a_conversation_is_written_in_its_language() -> None:
    assert as_text(qa("怎么退货", "七天内")) == "用户：怎么退货\n客服：七天内"
    assert as_text(qa("Return?", "Within a week.")) == "User: Return?\nAgent: Within a week."
    assert as_text(document_row("正\r\n文\r", Path("a.txt"))) == "正\n文\n"


@pytest.mark.parametrize(
    ("text", "chinese"),
    [("如何重置 iPhone 15 Pro Max？", True), ("Reset", False), ("", False), ("？！", False)],
)
def test_chinese_is_known_by_its_letters(text: str, chinese: bool) -> None:
    assert is_chinese(text) is chinese


@pytest.mark.parametrize("text", ["", " \n ", "字" * 25, "一行\n" * 9, "甲\n" + "乙" * 23 + "\n丙"])
def test_pieces_are_short_enough_and_lose_nothing(text: str) -> None:
    cut = list(pieces(text, 10))
    assert all(0 < len(piece) <= 10 for piece in cut)
    assert "".join("".join(cut).split()) == "".join(text.split())


def test_a_text_is_cut_between_lines_where_that_is_possible() -> None:
    assert list(pieces("第一段六字\n第二段六字\n第三段六字\n", 13)) == [
        "第一段六字\n第二段六字",
        "第三段六字",
    ]
