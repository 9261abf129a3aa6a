"""Which rows teach nothing, and which only look so."""

import pytest

from adapters.data.cleaning import Noise, NoiseSettings
from adapters.data.cleaning.noise import repetition
from adapters.data.rows import Row
from tests.adapters.data.cleaning.rows import row


def reason(one: Row, settings: NoiseSettings | None = None) -> str:
    (result,) = Noise(settings or NoiseSettings()).run([one])
    return result.reason


@pytest.mark.parametrize(
    "said",
    ["在吗", "在吗？？", "您好，请问在吗？", "好的，谢谢啦～", "嗯嗯", "[图片]", "亲，在不在呀"[:5]]
    + ["thanks a lot!", "Hi, are you there?", "OK", "ＯＫ", "Thank you so much for your help."],
)
def test_a_row_that_only_greets_thanks_or_confirms_is_noise(said: str) -> None:
    assert reason(row(said, "您好，在的，请问有什么可以帮您？")) == "chitchat"


@pytest.mark.parametrize(
    "said",
    [
        "退款",
        "在吗？我的快递到哪了",
        "你好，怎么开发票？",
        "可以退货吗",
        "转人工",
        "谢谢小米的保修政策",
    ]
    + ["Hi, where is my order?", "refund", "What is a test?"],
)
def test_a_question_is_kept_however_short_or_polite(said: str) -> None:
    assert reason(row(said, "请在订单页申请。")) == ""


def test_greetings_and_confirmations_within_a_dialogue_stay() -> None:
    turns = ("在吗", "在的", "保修几年？", "保修一年。", "好的谢谢", "不客气")
    assert reason(row(*turns)) == ""
    assert reason(row("在吗", "在的", "好的", "嗯")) == "chitchat"


def test_the_intent_of_a_greeting_is_a_task() -> None:
    assert reason(row("谢谢", '{"intent": "thank"}')) == ""


def test_signs_alone_and_too_few_letters_are_dropped() -> None:
    assert reason(row("？？？", "请问有什么可以帮您")) == "no_text"
    assert reason(row("怎么退货", "……")) == "no_text"
    assert reason(row("猫", "一种动物。")) == "too_short"
    asked = NoiseSettings(min_question_letters=1, min_answer_letters=5)
    assert reason(row("猫", "一种动物。"), asked) == "too_short"
    assert reason(row("猫", "一种小动物。"), asked) == ""


@pytest.mark.parametrize(
    "said", ["转人工转人工转人工转人工", "哈哈哈哈哈哈哈哈", "请您稍等，正在为您查询。" * 30]
)
def test_a_text_that_repeats_itself_is_dropped(said: str) -> None:
    assert reason(row("我要查询订单", said)) == "repetition"


@pytest.mark.parametrize(
    "said",
    [
        "哈哈哈",
        "10000000000000",
        "第一步，打开设置；第二步，打开账号；第三步，打开安全中心；第四步，点击修改密码。",
        "The first step is to open the settings, the second step is to open the account page, and "
        "the third step is to open the security page and to choose a new password there.",
        '[{"act": "Request", "slot": "地址", "value": ""}, {"act": "Request", "slot": "电话", '
        '"value": ""}, {"act": "Request", "slot": "门票", "value": ""}]',
    ],
)
def test_lists_numbers_and_json_do_not_repeat_themselves(said: str) -> None:
    assert reason(row("怎么修改密码", said)) == ""


def test_a_long_loop_is_found_though_it_is_sampled_first() -> None:
    varied = "".join(chr(0x4E00 + 7 * n) for n in range(300))
    assert repetition(varied) == 0
    assert repetition(varied[:60] + varied[:60] * 5) > 0.5


def test_phrases_of_ones_own_are_taken_too() -> None:
    asked = NoiseSettings(phrases=("飞鱼客服你好",))
    assert reason(row("飞鱼客服你好，在吗", "在的"), asked) == "chitchat"
    assert reason(row("飞鱼客服你好，在吗", "在的")) == ""


@pytest.mark.parametrize(
    "text", ["卡号４１１１１１１１１１１１１１１１。", "卡号4111111111111111。", "1" * 60]
)
def test_the_digits_of_a_number_repeat_nothing(text: str) -> None:
    assert repetition(text) == 0
