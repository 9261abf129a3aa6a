import json

import pytest

from adapters.data.rows import Message, Row
from adapters.data.structure.dialogues import DialogueSettings, annotate_dialogues
from tests.adapters.data.structure.conftest import File, Model

TALK = Row(
    (
        Message("user", "我的订单怎么还没到？"),
        Message("assistant", "正在派送，今天送达。"),
        Message("user", "好的谢谢"),
        Message("assistant", "不客气"),
    ),
    {"source": "chat-7", "date": "2026-10-01"},
    File,
    4,
)


def test_a_conversation_becomes_its_intent_and_result() -> None:
    model = Model(lambda _: {"intent": "查询物流", "result": "已解决"})
    settings = DialogueSettings(intents=("查询物流", "退货"), results=("已解决", "转人工"))
    [result] = annotate_dialogues(settings, model).run([TALK])
    question, answer = (turn.content for turn in result.rows[0].messages)
    assert json.loads(answer) == {"intent": "查询物流", "result": "已解决"}
    assert question.endswith(
        "用户：我的订单怎么还没到？\n客服：正在派送，今天送达。\n用户：好的谢谢\n客服：不客气"
    )
    assert "intent 只能是：查询物流、退货。" in model.prompts[0]
    assert result.rows[0].meta == {
        "source": "chat-7",
        "date": "2026-10-01",
        "scenario": "查询物流",
        "made_by": "dialogues",
        "synthetic": True,
        "reviewed": False,
    }


@pytest.mark.parametrize("intent", ["闲聊", ""])
def test_an_intent_that_was_not_declared_is_no_row(intent: str) -> None:
    model = Model(lambda _: {"intent": intent, "result": "已解决"})
    [result] = annotate_dialogues(DialogueSettings(intents=("退货",)), model).run([TALK])
    assert (result.rows, result.reason) == ((), "not_of_the_schema")
