"""One spelling, without the loss that NFKC brings."""

import pytest

from adapters.data.cleaning import Normalise, NormaliseSettings
from adapters.data.cleaning.normalise import normalise
from tests.adapters.data.cleaning.rows import row


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("ＡＢＣ１２３ａｂｃ", "ABC123abc"),
        ("折扣５％，满１００元", "折扣5%，满100元"),
        ("共３．５元", "共3.5元"),
        ("ｔｅｓｔ＠ｘ．ｃｏｍ", "test@x.com"),
        ("保修\u3000一年\u00a0整", "保修 一年 整"),
        ("零\u200b宽\ufeff", "零宽"),
        ("一\r\n二\r三", "一\n二\n三"),
        ("行末  \n下一行 ", "行末\n下一行"),
        ("cafe\u0301，第①家㎡", "caf\u00e9，第①家㎡"),
        ("响\x07铃\x00", "响铃"),
    ],
)
def test_width_invisible_signs_and_line_ends(text: str, wanted: str) -> None:
    assert normalise(text) == wanted
    assert normalise(wanted) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "您好，（请问）：第①步？！“好”；、。…《书》～——",
        "面积 20㎡，Ⅲ类，㈱",
        "def f():\n    return 1\n\n\nprint(f())\tend",
        "👨\u200d👩\u200d👧 می\u200cخواهم",
        "＂x＂ ＼n",
    ],
)
def test_chinese_punctuation_and_other_signs_stay(text: str) -> None:
    assert normalise(text) == text


def test_every_turn_is_changed_and_lineage_and_other_metadata_stay() -> None:
    one = row("第１步", "按Ａ", "然后", "按B", line=7, rejected="按Ｃ", source="x")
    (result,) = Normalise(NormaliseSettings()).run([one])
    (made,) = result.rows
    assert [turn.content for turn in made.messages] == ["第1步", "按A", "然后", "按B"]
    assert made.meta == {"rejected": "按C", "source": "x"}
    assert (made.line, result.reason) == (7, "spelling")


def test_a_row_that_needs_nothing_goes_on_as_it_is() -> None:
    one = row("怎么退货？", "七天内可以。")
    (result,) = Normalise(NormaliseSettings()).run([one])
    assert (result.rows[0] is one, result.reason) == (True, "")


def test_characters_are_converted_where_asked_for() -> None:
    one = row("請問產品的保固期多久？", "这个软件能发货吗")
    (result,) = Normalise(NormaliseSettings(script="simplified")).run([one])
    assert result.rows[0].messages[0].content == "请问产品的保固期多久？"
    assert result.reason == "script"
    (result,) = Normalise(NormaliseSettings(script="traditional")).run([one])
    assert result.rows[0].messages[1].content == "這個軟件能發貨嗎"


def test_a_text_of_invisible_signs_is_not_made_empty() -> None:
    (result,) = Normalise(NormaliseSettings()).run([row("\u200b", "好")])
    assert result.rows[0].messages[0].content == "\u200b"
