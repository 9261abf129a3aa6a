"""Names and street addresses that words announce; what only looks like them."""

import pytest

from adapters.data.personal import find_names_and_addresses

FOUND = [
    ("姓名：张三，女", "person_name", "张三"),
    ("收件人欧阳小明的电话", "person_name", "欧阳小明"),
    ("请联系刘伟先生", "person_name", "刘伟"),
    ("王芳13812345678", "person_name", "王芳"),
    ("My name is John Smith.", "person_name", "John Smith"),
    ("ask Dr. Jane Roe", "person_name", "Jane Roe"),
    ("地址在北京市朝阳区建国路100号5栋", "street_address", "北京市朝阳区建国路100号5栋"),
    ("at 12 Baker Street now", "street_address", "12 Baker Street"),
]


@pytest.mark.parametrize(("text", "kind", "value"), FOUND)
def test_a_name_or_address_is_found(text: str, kind: str, value: str) -> None:
    found = find_names_and_addresses(text)
    assert [(one.kind, text[one.start : one.end]) for one in found] == [(kind, value)]


@pytest.mark.parametrize(
    "text",
    [
        "黄山风景区很漂亮",
        "这个方案不错",
        "我在北京",
        "客户服务很好",
        "收件人：某甲子，",
        "Dear team",
    ],
)
def test_other_words_are_none(text: str) -> None:
    assert find_names_and_addresses(text) == []
