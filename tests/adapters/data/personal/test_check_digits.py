"""Check digits, dates and ranges, each by a number that fits and one that does not."""

from collections.abc import Callable

import pytest

from adapters.data.personal import check_digits


@pytest.mark.parametrize(
    ("fits", "right", "wrong"),
    [
        (check_digits.is_luhn, "4111111111111111", "4111111111111112"),
        (check_digits.is_resident_id, "11010119900307723X", "110101199003077230"),
        (check_digits.is_resident_id, "110101199003074610", "990101199003074614"),
        (check_digits.is_old_resident_id, "110101900307123", "110101901307123"),
        (check_digits.is_credit_code, "91110108MA01YBNX62", "91110108MA01YBNX63"),
        (check_digits.is_iban, "DE89370400440532013000", "DE88370400440532013000"),
        (check_digits.is_taiwan_id, "A123456789", "A123456788"),
        (check_digits.is_hong_kong_id, "A1234563", "A1234564"),
        (check_digits.is_hong_kong_id, "AB9876543", "AB9876544"),
        (check_digits.is_ssn, "423718834", "000718834"),
        (check_digits.is_address, "8.8.8.8", "127.0.0.1"),
        (check_digits.is_address, "fe80::1", "256.1.1.1"),
        (check_digits.is_own_line, "01062000000", "4008201234"),
    ],
)
def test_a_value_fits_or_does_not(fits: Callable[[str], bool], right: str, wrong: str) -> None:
    assert fits(right)
    assert not fits(wrong)
