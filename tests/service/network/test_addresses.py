"""Addresses as operators and proxies write them."""

import pytest

from service.network.addresses import read_address, require_network


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("203.0.113.5", "203.0.113.5"),
        (" 203.0.113.5:4711 ", "203.0.113.5"),
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:DB8::1]:443", "2001:db8::1"),
        ("::ffff:203.0.113.5", "203.0.113.5"),
    ],
)
def test_an_address_is_read_in_every_form(text: str, read: str) -> None:
    assert str(read_address(text)) == read


@pytest.mark.parametrize("text", ["", "unknown", "_hidden", "localhost", "1.2.3", "[", "1.2.3.4,"])
def test_what_is_no_address_is_none(text: str) -> None:
    assert read_address(text) is None


def test_one_address_is_a_network_of_its_own() -> None:
    assert str(require_network("10.0.0.7")) == "10.0.0.7/32"
    assert str(require_network("2001:db8::/32")) == "2001:db8::/32"


@pytest.mark.parametrize("text", ["", "*", "proxy.example.com", "10.0.0.7/33"])
def test_other_words_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not an address or a network"):
        require_network(text)


def test_a_network_whose_address_goes_beyond_it_is_refused_and_that_is_said() -> None:
    with pytest.raises(ValueError, match="host bits set"):
        require_network("10.0.0.7/24")
