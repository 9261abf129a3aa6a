"""Values of finds, without their layout."""

import pytest

from adapters.data.personal.values import canonical


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("cn_mobile", "(+86)138-0013-8000", "13800138000"),
        ("cn_landline", "(010)6200 0000转801", "01062000000"),
        ("cn_landline", "010-62000000-801", "01062000000"),
        ("cn_landline", "+86 10 6200 0000", "01062000000"),
        ("cn_landline", "6200-0000", "62000000"),
        ("phone", "+1 415-555-0198x12", "14155550198"),
        ("email", "A.B [at] qq [dot] com", "a.b@qq.com"),
        ("ip_address", "8。8。8。8", "8.8.8.8"),
        ("ip_address", "2001:470:0::2", "2001:470::2"),
        ("cn_plate", "京 a.12345", "京A12345"),
        ("wechat_id", "Zhang_San", "zhang_san"),
        ("person_name", "John Smith", "johnsmith"),
    ],
)
def test_a_value_is_what_all_spellings_share(kind: str, text: str, value: str) -> None:
    assert canonical(kind, text) == value
