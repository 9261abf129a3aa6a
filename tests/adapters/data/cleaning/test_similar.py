"""Rows that mean the same, by vectors."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from adapters.data.cleaning import Similar, SimilarSettings
from adapters.data.rows import Row
from tests.adapters.data.cleaning.rows import rows

ANGLES = {
    "退货": 0,
    "退回商品": 10,
    "发票": 90,
    "收到商品后七天内可以退回": 20,
    "七天之内商品都能申请退货": 25,
    "可": 0,
}
EMBEDDED: list[str] = []


def embed(texts: Sequence[str]) -> npt.NDArray[np.float32]:
    EMBEDDED.extend(texts)
    radians = np.radians([ANGLES.get(text, 180) for text in texts])
    return np.stack((np.cos(radians), np.sin(radians)), axis=1).astype(np.float32)


def run(given: Sequence[Row]) -> list[str]:
    step = Similar(SimilarSettings(min_similarity=0.95), embed)
    return [result.detail if result.is_dropped else "" for result in step.run(given)]


def test_question_and_answer_must_both_be_similar() -> None:
    first = ("退货", "收到商品后七天内可以退回")
    told = run(
        rows(
            first,
            ("退回商品", "七天之内商品都能申请退货"),
            ("发票", "七天之内商品都能申请退货"),
            ("退货", "请您先联系一下人工客服吧"),
        )
    )
    assert told == ["", "means the same as rows.jsonl:1 (similarity 0.98)", "", ""]


def test_short_answers_must_be_equal() -> None:
    assert run(rows(("退货", "可"), ("退回商品", "可"), ("退货", "退货"))) == [
        "",
        "means the same as rows.jsonl:1 (similarity 0.98)",
        "",
    ]


def test_rows_are_compared_with_those_of_earlier_batches_and_texts_embedded_once() -> None:
    EMBEDDED.clear()
    others = [("发票", f"编号为{n:04}的另外一个答案") for n in range(300)]
    told = run(
        rows(
            ("退货", "收到商品后七天内可以退回"), *others, ("退回商品", "七天之内商品都能申请退货")
        )
    )
    assert told[0] == ""
    assert told[-1] == "means the same as rows.jsonl:1 (similarity 0.98)"
    assert EMBEDDED.count("发票") == 2  # once in each of the two batches
