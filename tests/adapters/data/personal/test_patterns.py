"""The table of patterns: what `finding.py` relies on."""

from adapters.data.personal.check_digits import is_luhn
from adapters.data.personal.patterns import CHECKED, NUMBER, PATTERNS


def test_patterns_whose_check_says_enough_come_before_those_that_need_words() -> None:
    assert any(one.holds is is_luhn for one in PATTERNS[:CHECKED])
    assert all(
        one.holds or one.signs or one.kind == "cn_mobile"
        for one in PATTERNS[:CHECKED]
        if not one.cue
    )


def test_years_and_prices_are_no_sign_of_a_number() -> None:
    assert NUMBER.search("2019年，1500元，4.5分") is None
    assert NUMBER.search("8.8.8.8") is not None
    assert NUMBER.search("138 00") is not None
