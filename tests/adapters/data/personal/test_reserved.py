"""What masking writes is known again, and no part of a real number is taken for it."""

import pytest

from adapters.data.personal.finding import find_personal_data
from adapters.data.personal.reserved import blank_first, blank_names, blank_numbers


@pytest.mark.parametrize(
    "text",
    ["ab@masked.example", "198.51.100.200", "2001:db8:ffff:1:2:3:4:5", "GZ00 6368 7830 0495 9092"],
)
def test_what_looks_like_a_real_one_is_left_out_first(text: str) -> None:
    assert blank_first(f"：{text}。") == f"：{chr(0) * len(text)}。"


@pytest.mark.parametrize("text", ["100 2298 5436", "0571-10029516", "(293) 555-0142", "O06145716"])
def test_numbers_are_left_out_where_they_stand(text: str) -> None:
    whole = f"：{text}。"
    assert blank_numbers(whole, [(0, len(whole))]) == f"：{chr(0) * len(text)}。"
    assert blank_numbers(whole, []) == whole


def test_names_are_left_out() -> None:
    assert blank_names("某甲子路12号") == "\0" * 7
    assert blank_names("某人") == "某人"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("银行卡6212 2622 0000 0000 004", "6212 2622 0000 0000 004"),
        ("刷了4008_0000_1234_5678", "4008_0000_1234_5678"),
        ("手机 138 10012345", "138 10012345"),
        ("call +852 9991 2345", "+852 9991 2345"),
        ("写信给a@example.com", "a@example.com"),
        ("从198.51.100.7登录", "198.51.100.7"),
    ],
)
def test_a_real_number_with_such_a_part_is_found_whole(text: str, value: str) -> None:
    assert [text[one.start : one.end] for one in find_personal_data(text)] == [value]
