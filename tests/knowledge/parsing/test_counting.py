"""Numbers are written as Word and PowerPoint show them."""

import pytest

from knowledge.parsing.counting import count


@pytest.mark.parametrize(
    ("style", "written"),
    [
        ("decimal", {1: "1", 10: "10"}),
        ("decimalZero", {3: "03", 12: "12"}),
        ("001, 002, 003, ...", {7: "007", 1234: "1234"}),
        ("lowerLetter", {1: "a", 26: "z", 27: "aa", 28: "bb"}),
        ("upperLetter", {2: "B", 53: "AAA"}),
        ("lowerRoman", {4: "iv", 9: "ix", 1994: "mcmxciv"}),
        ("upperRoman", {14: "XIV", 40: "XL"}),
        ("ordinal", {1: "1st", 2: "2nd", 3: "3rd", 11: "11th", 22: "22nd", 112: "112th"}),
        ("cardinalText", {3: "Three", 21: "Twenty-One", 115: "One Hundred Fifteen"}),
        ("ordinalText", {2: "Second", 12: "Twelfth", 20: "Twentieth", 21: "Twenty-First"}),
        ("decimalEnclosedCircle", {1: "①", 20: "⑳", 21: "㉑", 36: "㊱", 51: "51"}),
        ("decimalEnclosedParen", {3: "⑶"}),
        ("decimalEnclosedFullstop", {20: "⒛"}),
        ("decimalFullWidth", {12: "１２"}),
        (
            "chineseCounting",
            {3: "三", 10: "十", 11: "十一", 20: "二十", 99: "九十九", 105: "一〇五"},
        ),
        ("chineseCountingThousand", {10: "十", 101: "一百零一", 110: "一百一十", 1002: "一千零二"}),
        ("chineseCountingThousand", {12345: "一万二千三百四十五", 20010: "二万零一十"}),
        ("chineseLegalSimplified", {1: "壹", 10: "壹拾", 25: "贰拾伍", 103: "壹佰零叁"}),
        ("ideographLegalTraditional", {2: "貳", 16: "壹拾陸"}),
        ("ideographTraditional", {1: "甲", 10: "癸", 11: "11"}),
        ("ideographZodiac", {1: "子", 12: "亥"}),
        ("ideographZodiacTraditional", {1: "甲子", 13: "丙子", 60: "癸亥"}),
        ("ideographDigital", {10: "一〇", 23: "二三"}),
        ("japaneseCounting", {10: "十", 101: "百一", 21: "二十一"}),
        ("taiwaneseCountingThousand", {12: "十二", 10_000: "一萬"}),
        ("aiueo", {1: "ア", 2: "イ"}),
        ("iroha", {2: "ロ"}),
        ("ganada", {3: "다"}),
        ("koreanDigital", {10: "일영"}),
        ("russianLower", {1: "а", 2: "б"}),
        ("numberInDash", {4: "- 4 -"}),
        ("hex", {255: "FF"}),
        ("none", {4: ""}),
        ("bullet", {4: ""}),
        ("noSuchFormat", {4: "4"}),
    ],
)
def test_a_number_is_written_as_office_shows_it(style: str, written: dict[int, str]) -> None:
    assert {number: count(number, style) for number in written} == written


def test_no_number_is_too_large_or_too_small_to_be_written() -> None:
    for number in (-5, 0, 1, 32_767, 32_768, 10**12):
        for style in ("lowerLetter", "upperRoman", "chineseCountingThousand", "cardinalText"):
            assert 0 < len(count(number, style)) < 80
