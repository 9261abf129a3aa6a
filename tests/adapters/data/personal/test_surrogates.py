"""What stands for a value: the same for each spelling, of its form, and nobody's."""

import ipaddress
import re

import pytest

from adapters.data.personal import check_digits, find_personal_data
from adapters.data.personal.surrogates import Surrogates
from tests.adapters.data.personal.test_finding import FOUND, SPELLINGS

KEY = b"a key of a home, 32 bytes long.."


def surrogate(text: str, key: bytes = KEY) -> str:
    """Return the surrogate of the one find in `text`."""
    [found] = find_personal_data(text)
    return Surrogates(key).surrogate(found)


@pytest.mark.parametrize(("text", "kind", "value"), FOUND)
def test_a_surrogate_hides_the_value_and_is_not_found_again(
    text: str, kind: str, value: str
) -> None:
    masked = text.replace(value, surrogate(text))
    assert value not in masked
    assert find_personal_data(masked) == []


def has_a_form_of_its_own(kind: str, value: str) -> bool:
    """Whether the surrogate is written otherwise than the value."""
    is_folded = not value.isascii() and (kind != "cn_plate" or "·" in value)
    return kind in ("email", "ip_address", "iban") or is_folded


@pytest.mark.parametrize(
    ("text", "value"),
    [(text, value) for text, kind, value in FOUND if not has_a_form_of_its_own(kind, value)],
)
def test_length_layout_and_kinds_of_letters_are_kept(text: str, value: str) -> None:
    def form(letters: str) -> str:
        return re.sub("[A-Za-z_]", "a", re.sub(r"\d", "0", letters))

    assert form(surrogate(text)) == form(value)


def test_spellings_of_one_value_have_one_surrogate() -> None:
    mobiles = [written for kind, written in SPELLINGS if kind == "cn_mobile"]
    drawn = {re.sub(r"\D", "", surrogate(written))[-11:] for written in mobiles}
    assert len(drawn) == 1
    assert surrogate("depot＠example.com") == surrogate("写给DEPOT @ example。com吧")
    assert surrogate("京Ａ·12345") == surrogate("京a12345").upper().replace("I", "I.", 1)


def test_another_key_or_another_value_gives_another_surrogate() -> None:
    assert surrogate("13800138000") == surrogate("13800138000")
    assert surrogate("13800138000") != surrogate("13800138001")
    assert surrogate("13800138000") != surrogate("13800138000", b"another key of 32 bytes.........")


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        Surrogates(b"short")


def test_the_key_is_told_apart_and_not_told() -> None:
    assert Surrogates(KEY).key_id == Surrogates(KEY).key_id != Surrogates(KEY + b"2").key_id
    assert KEY.hex() not in Surrogates(KEY).key_id


def test_no_check_digit_of_many_surrogates_fits() -> None:
    cards = [f"4{n:014d}" for n in range(300)]
    for card in cards:
        number = next(f"{card}{d}" for d in range(10) if check_digits.is_luhn(f"{card}{d}"))
        assert not check_digits.is_luhn(surrogate(f"卡号{number}"))


def test_addresses_are_of_the_ranges_for_examples() -> None:
    assert ipaddress.ip_address(surrogate("8.8.8.8")) in ipaddress.ip_network("198.51.100.0/24")
    v6 = ipaddress.ip_address(surrogate("2001:470:1f0b::2"))
    assert v6 in ipaddress.ip_network("2001:db8::/32")
    assert surrogate("a.b@qq.com").endswith("@masked.example")
    assert re.fullmatch(r"\([2-9]9\d\) 555-01\d\d", surrogate("(415) 555-1234"))
