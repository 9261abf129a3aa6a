"""What is found as personal data, and what only looks like it. Every number here is made up."""

import pytest

from adapters.data.personal import KINDS, find_personal_data, mask_personal_data

FOUND = [
    ("电话13812345678请回", "cn_mobile", "13812345678"),
    ("加微信 +86 138-1234-5678 聊", "cn_mobile", "+86 138-1234-5678"),
    ("收件人电话16434760882hhh", "cn_mobile", "16434760882"),
    ("请致电（010）67796688转12", "cn_landline", "（010）67796688转12"),
    ("座机是0755-26512345。", "cn_landline", "0755-26512345"),
    ("电话是67016992，周边有", "cn_landline", "67016992"),
    ("身份证110101199003074610号", "cn_resident_id", "110101199003074610"),
    ("编号 11010119900307723X 已收", "cn_resident_id", "11010119900307723X"),
    ("刷了6212262200000000004", "bank_card", "6212262200000000004"),
    ("pay with 4111-1111-1111-1111 now", "bank_card", "4111-1111-1111-1111"),
    ("my card 180051662803027 was lost", "bank_card", "180051662803027"),
    ("代码91110108MA01YBNX62有效", "cn_credit_code", "91110108MA01YBNX62"),
    ("护照号E12345678", "passport", "E12345678"),
    ("his passport is A11223344.", "passport", "A11223344"),
    ("车牌京A·12345停在", "cn_plate", "京A·12345"),
    ("沪AF01234新能源", "cn_plate", "沪AF01234"),
    ("邮箱zhang.san@example.com。", "email", "zhang.san@example.com"),
    ("从8.8.8.8登录", "ip_address", "8.8.8.8"),
    ("from 2001:db8:0:0:1:0:0:1 today", "ip_address", "2001:db8:0:0:1:0:0:1"),
    ("call (415) 555-0198", "phone", "(415) 555-0198"),
    ("ring +46 (0)157 548 89", "phone", "+46 (0)157 548 89"),
    ("Fax: 949 877 7106", "phone", "949 877 7106"),
    ("SSN 123456789", "us_ssn", "123456789"),
    ("it is 423-71-8834.", "us_ssn", "423-71-8834"),
    ("to GB05QJZO19199608871268", "iban", "GB05QJZO19199608871268"),
]

NOT_FOUND = [
    "订单号110101199003074611",  # a wrong check digit, and no word says that it is an ID
    "4111111111111112",  # Luhn does not hold
    "order 2024010112345678 was sent",
    "91110108MA01YBNX63",
    "产品E12345678",  # only a word before makes this a passport
    "版本1.2.3.4.5和1-3.1.4.2",
    "at 127.0.0.1 or 10:30:45",
    "std::vector and a::b",
    "热线400-820-1234",  # a company's line
    "the conference call on 2022/04/24",
    "0.13812345678",
    "digest 9f13812345678ab0",
    "666-12-3456",
    "GB05QJZO19199608871269",
    "Contact {{Customer Support Phone Number}}",
    "新IPHONE手机，京东2024年",
    "一共12345678元",
    "",
]


@pytest.mark.parametrize(("text", "kind", "value"), FOUND)
def test_it_is_found_and_named(text: str, kind: str, value: str) -> None:
    found = [(one.kind, text[one.start : one.end]) for one in find_personal_data(text)]
    assert found == [(kind, value)]


@pytest.mark.parametrize("text", NOT_FOUND)
def test_what_only_looks_like_it_is_not_found(text: str) -> None:
    assert find_personal_data(text) == []


def test_every_kind_has_an_example() -> None:
    assert {kind for _, kind, _ in FOUND} == set(KINDS)


def test_masking_leaves_the_words_and_no_value() -> None:
    text = "张三，电话13812345678，邮箱a@example.com，身份证110101199003074610。"
    assert (
        mask_personal_data(text) == "张三，电话<cn_mobile>，邮箱<email>，身份证<cn_resident_id>。"
    )
    assert mask_personal_data("nothing here 42") == "nothing here 42"


def test_finds_do_not_overlap_and_stand_in_order() -> None:
    text = "13812345678 110101199003074610 a@b.cn 13912345678"
    found = find_personal_data(text)
    ends = [(one.start, one.end) for one in found]
    assert len(found) == 4
    assert all(before[1] <= after[0] for before, after in zip(ends, ends[1:], strict=False))


@pytest.mark.parametrize("piece", ["1", "1 ", "(1", "a.b@", "+1 ", "ff:", "AB12 ", "62-"])
def test_a_long_text_of_almost_finds_is_read_to_its_end(piece: str) -> None:
    text = piece * 20_000 + " 13812345678。"
    assert find_personal_data(text)[-1].kind == "cn_mobile"
