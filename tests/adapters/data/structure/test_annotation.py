from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.data.structure.annotation import Annotate, AnnotationSettings, load_annotation
from adapters.data.structure.texts import document_row
from adapters.errors import InvalidRules
from tests.adapters.data.structure.conftest import Model, qa

PAIRS = """
instruction: 根据下面的文字写问答对。
reply:
  type: object
  properties:
    pairs:
      type: array
      items:
        type: object
        properties:
          question: {type: string}
          answer: {type: string}
        required: [question, answer]
  required: [pairs]
each: pairs
row: {instruction: '{question}', output: '{answer}'}
copied: [answer]
"""
LABELS = {
    "instruction": "判断意图",
    "reply": {
        "type": "object",
        "properties": {"intent": {"enum": ["退货", "查询"]}},
        "required": ["intent"],
    },
    "meta": {"scenario": "{intent}"},
}
TEXT = document_row("门店营业时间为每天10:00至22:00。", Path("门店.txt"))


def pairs_step(write: Callable[[str], Path], reply: object) -> Annotate:
    return Annotate(load_annotation(write(PAIRS)), Model(lambda prompt: reply))


def test_what_the_model_reads_becomes_rows_that_nobody_has_reviewed(
    write: Callable[[str], Path],
) -> None:
    reply = {"pairs": [{"question": "几点关门？", "answer": "22：00"}]}
    [result] = pairs_step(write, reply).run([TEXT])
    [row] = result.rows
    assert [turn.content for turn in row.messages] == ["几点关门？", "22：00"]
    assert row.meta == {
        "source": "门店.txt",
        "made_by": "annotate",
        "synthetic": True,
        "reviewed": False,
    }
    assert result.reason == "annotated"


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ('{"pairs": [{"question": "几点', "not_json"),
        ("", "no_reply"),
        ({"pairs": [{"question": "几点关门？"}]}, "not_of_the_schema"),
        (["pairs"], "not_of_the_schema"),
        ({"pairs": []}, "no_rows"),
        ({"pairs": [{"question": " ", "answer": "22:00"}]}, "no_rows"),
        ({"pairs": [{"question": "几点关门？", "answer": "23:00"}]}, "not_in_the_text"),
    ],
)
def test_a_reply_that_cannot_be_used_drops_the_row_with_its_reason(
    write: Callable[[str], Path], reply: object, reason: str
) -> None:
    [result] = pairs_step(write, reply).run([TEXT])
    assert (result.rows, result.reason) == ((), reason)


def test_personal_data_of_a_reply_is_masked_in_the_reason(write: Callable[[str], Path]) -> None:
    reply = {"pairs": [{"question": "电话？", "answer": "13812345678"}]}
    [result] = pairs_step(write, reply).run([TEXT])
    assert result.detail == "answer: <cn_mobile>"


def test_without_templates_the_json_is_the_answer_to_the_text() -> None:
    step = Annotate(
        AnnotationSettings.model_validate(LABELS),
        Model(lambda _: '```json\n{"intent": "退货"}\n```'),
    )
    [result] = step.run([qa("灯坏了", "可以退", 3)])
    question, answer = (turn.content for turn in result.rows[0].messages)
    assert question == "判断意图\n\n用户：灯坏了\n客服：可以退"
    assert answer == '{"intent": "退货"}'
    assert (result.rows[0].meta["scenario"], result.rows[0].line) == ("退货", 3)


def test_long_texts_are_asked_about_in_pieces_and_none_is_lost() -> None:
    text = "\n".join(f"第{n}段" + "字" * 60 for n in range(6))
    model = Model(lambda prompt: {"intent": "查询"} if "第3段" not in prompt else "?")
    step = Annotate(AnnotationSettings.model_validate({**LABELS, "max_chars": 140}), model)
    [result] = step.run([document_row(text, Path("a.txt"))])
    assert len(model.prompts) == 3
    assert all(any(f"第{n}段" in prompt for prompt in model.prompts) for n in range(6))
    assert (len(result.rows), result.detail) == (2, "2 rows; 1 of 3 pieces not_json")


def test_results_come_in_the_order_of_the_rows() -> None:
    step = Annotate(
        AnnotationSettings.model_validate({**LABELS, "parallel": 5}),
        Model(lambda prompt: {"intent": "退货" if "退" in prompt else "查询"}),
    )
    rows = [qa(f"{'退' if n % 3 else '查'}{n}", "好", n) for n in range(40)]
    results = list(step.run(rows))
    assert [one.row.line for one in results] == list(range(40))
    assert [one.rows[0].meta["scenario"] for one in results] == [
        "退货" if n % 3 else "查询" for n in range(40)
    ]


def test_an_error_of_the_models_server_ends_the_step() -> None:
    def fail(prompt: str) -> str:
        raise ConnectionError("away")

    with pytest.raises(ConnectionError):
        list(Annotate(AnnotationSettings.model_validate(LABELS), Model(fail)).run([TEXT] * 20))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (("type: object", "type: onject"), "not a JSON schema"),
        (("each: pairs", "each: pear"), "has no items of the list 'pear'"),
        (("{question}'", "{frage}'"), "stands for nothing"),
        (("copied: [answer]", "copied: [text]"), "stands for nothing"),
        (("question: {type", "text: {type"), "cannot be called text"),
    ],
)
def test_a_wrong_annotation_file_is_refused(
    write: Callable[[str], Path], change: tuple[str, str], why: str
) -> None:
    with pytest.raises(InvalidRules, match=why):
        load_annotation(write(PAIRS.replace(*change)))
