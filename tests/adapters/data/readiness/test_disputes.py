"""Which labels are confused, and what has to be agreed on."""

from adapters.data.readiness.disputes import describe_disputes
from tests.adapters.data.readiness.rows import row


def test_the_most_confused_pair_comes_first_with_its_rows() -> None:
    groups = [
        [(row("我要退", "退货", line=n), "退货"), (row("我要退", "退款", line=n + 10), "退款")]
        for n in range(3)
    ]
    groups.append([(row("在哪", "物流", line=5), "物流"), (row("在哪", "退货", line=6), "退货")])
    first, second = describe_disputes(groups)
    assert (first["labels"], first["questions"]) == (["退款", "退货"], 3)
    assert first["agree_on"] == "define when the answer is “退款” and when it is “退货”"
    assert [one["line"] for one in first["rows"]] == [10, 0, 11]
    assert second["labels"] == ["物流", "退货"]


def test_json_answers_are_compared_key_by_key() -> None:
    one, other = '{"area": "riverside", "food": "中餐"}', '{"food": "中餐", "price": "高"}'
    found = describe_disputes([[(row("q", one), one), (row("q", other), other)]])
    assert [(pair["key"], pair["labels"]) for pair in found] == [
        ("area", ["riverside", "(left out)"]),
        ("price", ["(left out)", "高"]),
    ]
    assert found[0]["agree_on"].startswith("define when the answer of “area” is “riverside”")


def test_labels_are_told_without_personal_data() -> None:
    found = describe_disputes([[(row("q", "a"), "13812345678"), (row("q", "b"), "b")]])
    assert found[0]["labels"] == ["<cn_mobile>", "b"]
