"""What is found as personal data, and what only looks like it. Every number here is made up."""

import pytest

from adapters.data.personal import (
    KINDS,
    find_names_and_addresses,
    find_personal_data,
    mask_personal_data,
)

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
    ("at fe80::1 now", "ip_address", "fe80::1"),
    ("call (415) 555-0198", "phone", "(415) 555-0198"),
    ("ring +46 (0)157 548 89", "phone", "+46 (0)157 548 89"),
    ("Fax: 949 877 7106", "phone", "949 877 7106"),
    ("SSN 123456789", "us_ssn", "123456789"),
    ("it is 423-71-8834.", "us_ssn", "423-71-8834"),
    ("to GB05QJZO19199608871268", "iban", "GB05QJZO19199608871268"),
    ("老身份证110101900307123", "cn_resident_id", "110101900307123"),
    ("港澳居民居住证810000199408230021", "cn_resident_id", "810000199408230021"),
    ("身分證字號A123456789", "tw_id", "A123456789"),
    ("香港身份證A123456(3)。", "hk_id", "A123456(3)"),
    ("澳門身份證5123456(7)", "macau_id", "5123456(7)"),
    ("港澳通行证C12345678", "passport", "C12345678"),
    ("持E12345678（护照）入境", "passport", "E12345678"),
    ("手機0912-345-678", "phone", "0912-345-678"),
    ("電話：9123 4567", "phone", "9123 4567"),
    ("打+852 9123 4567", "phone", "+852 9123 4567"),
    ("加我微信 zhang_san88", "wechat_id", "zhang_san88"),
    ("微信号：abcdefgh", "wechat_id", "abcdefgh"),
    ("QQ号是12345678", "qq_number", "12345678"),
    ("违章车辆苏DTZGAB，", "cn_plate", "苏DTZGAB"),
    ("第2 110101 19900307 723X号", "cn_resident_id", "110101 19900307 723X"),
    ("我家座机六二三四五六七八", "cn_landline", "六二三四五六七八"),
    ("护照 E 8 8 8 8 1 2 3 4 丢了", "passport", "E 8 8 8 8 1 2 3 4"),
    ("发到zhang.san(艾特)gmail.com", "email", "zhang.san(艾特)gmail.com"),
    ("苏DTZGAB的车挡路了", "cn_plate", "苏DTZGAB"),
    ("粤Z1234港", "cn_plate", "粤Z1234港"),
    ("打57201918这个就行", "cn_landline", "57201918"),
    ("87654321这个电话打不通", "cn_landline", "87654321"),
    ("my registered 024 971 50 30.", "phone", "024 971 50 30"),
    ("082 490 1693-Office", "phone", "082 490 1693"),
    ("3660170548-Fax", "phone", "3660170548"),
    ("6685702 is my home phone", "phone", "6685702"),
    ("(37) 788-063-Office", "phone", "(37) 788-063"),
    ("5551234567", "phone", "5551234567"),
]
# One number as Word, Excel and chat programs write it.
SPELLINGS = [
    ("cn_mobile", "１３８００１３８０００"),
    ("cn_mobile", "138\u30000013\u30008000"),
    ("cn_mobile", "138\u00a00013\u00a08000"),
    ("cn_mobile", "138－0013－8000"),
    ("cn_mobile", "138—0013—8000"),
    ("cn_mobile", "138.0013.8000"),
    ("cn_mobile", "138·0013·8000"),
    ("cn_mobile", "138_0013_8000"),
    ("cn_mobile", "138\u200b0013\u200b8000"),
    ("cn_mobile", "（138）0013-8000"),
    ("cn_mobile", "(+86)13800138000"),
    ("cn_mobile", "0086-138-0013-8000"),
    ("cn_mobile", "1380-0138-000"),
    ("cn_mobile", "1 3 8 0 0 1 3 8 0 0 0"),
    ("cn_mobile", "一三八零零一三八零零零"),
    ("cn_mobile", "1\ufe0f\u20e33\ufe0f\u20e38\ufe0f\u20e300138000"),
    ("cn_resident_id", "110 101 180 001 011 00X"),
    ("cn_resident_id", "110101-18000101-100X"),
    ("cn_resident_id", "１１０１０１１９９００３０７７２３Ｘ"),
    ("cn_resident_id", "11010119900307723×"),
    ("bank_card", "４１１１１１１１１１１１１１１１"),
    ("bank_card", "4111.1111.1111.1111"),
    ("cn_landline", "０１０－６２００００００"),
    ("cn_landline", "（010）6200 0000"),
    ("cn_landline", "+86 10 6200 0000"),
    ("cn_landline", "010.62000000"),
    ("email", "depot＠example.com"),
    ("email", "depot @ example.com"),
    ("email", "depot@example。com"),
    ("email", "depot(at)example.com"),
    ("email", "depot at example dot com"),
    ("email", "depot#qq.com"),
    ("cn_credit_code", "9111 0108 MA01 YBNX 62"),
    ("cn_plate", "京Ａ 12345"),
    ("ip_address", "８．８．８．８"),
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
    "订单号13812345678",
    "订单号：4111 1111 1111 1111",
    "IMEI 110101900307123",
    "version 1.2.3.4",
    "Agreement of 1963 123",
    "Toxicology,48 (2010) 658-667",
    "16778576 = -16666579378",
    "2019一2020年、2021-2022",
    "meet me at example.com",
    "我在京ABCDEF等你",
    "QQ浏览器2024",
    "微信 payment",
    "",
]


@pytest.mark.parametrize(("text", "kind", "value"), FOUND)
def test_it_is_found_and_named(text: str, kind: str, value: str) -> None:
    found = [(one.kind, text[one.start : one.end]) for one in find_personal_data(text)]
    assert found == [(kind, value)]


@pytest.mark.parametrize(("kind", "written"), SPELLINGS)
def test_a_number_is_found_in_every_spelling_and_at_its_place(kind: str, written: str) -> None:
    text = f"请记下：{written}，谢谢"
    found = [(one.kind, text[one.start : one.end]) for one in find_personal_data(text)]
    assert found == [(kind, written)]


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


@pytest.mark.parametrize(
    "piece",
    [
        "1",
        "1 ",
        "(1",
        "a.b@",
        "+1 ",
        "ff:",
        "AB12 ",
        "62-",
        "0",
        "一 ",
        "1一",
        "京A",
        "微信:a",
        "a at b dot ",
    ]
    + [
        "138 ",
        "5551234567 ",
        "110101199003074610,",
        "1。",
        "DE00 ",
        "\u200b",
        "QQ1 ",
        "张三",
        "北京市",
    ],
)
def test_a_long_text_of_almost_finds_is_read_to_its_end(piece: str) -> None:
    text = piece * (100_000 // len(piece)) + "。 13812345678。"
    assert find_personal_data(text)[-1].kind == "cn_mobile"
    assert find_names_and_addresses(text + "姓名：王小明，")[-1].kind == "person_name"


def test_neighbours_are_told_apart() -> None:
    text = "发你了 卢敏 150 8783 4377 510107197901251520 6222021682313791"
    assert [one.kind for one in find_personal_data(text)] == [
        "cn_mobile",
        "cn_resident_id",
        "bank_card",
    ]


def test_two_spellings_have_one_value() -> None:
    texts = ["+86 138-0013-8000", "１３８００１３８０００", "（138）00138000"]
    assert {one.value for text in texts for one in find_personal_data(text)} == {"13800138000"}
    texts = ["（010）6200 0000转8", "010-62000000", "+86 10 6200 0000", "010-62000000-801"]
    assert {one.value for text in texts for one in find_personal_data(text)} == {"01062000000"}
