"""Addresses are found and compared however they are written."""

import pytest

from service.chat.links.addresses import addresses_in, is_absolute, plain, same, with_only

GIVEN = addresses_in(["See https://ok.example/a, [b](http://ok.example/b_(c)) and www.ok.example."])


def test_the_addresses_of_a_text_are_found_without_the_marks_around_them() -> None:
    assert GIVEN == {"ok.example/a", "ok.example/b_(c)", "www.ok.example"}


@pytest.mark.parametrize(
    "written",
    [
        "https://ok.example/a",
        "http://OK.example/a/",
        "https&colon;//ok.example/a",
        "https:\\/\\/ok.example/a",
        "https&#58;&#x2F;/ok.example/a",
    ],
)
def test_one_address_is_the_same_in_every_spelling(written: str) -> None:
    assert same(written) in GIVEN
    assert with_only(written, GIVEN) == written


@pytest.mark.parametrize(
    "address", ["https://ok.example/a?q=1", "https://ok.example/A", "ok.example"]
)
def test_more_than_what_was_given_is_another_address(address: str) -> None:
    assert same(address) not in GIVEN


@pytest.mark.parametrize(
    "address",
    [
        "https://x",
        "//x",
        "\\\\x",
        "/\\x",
        "javascript:x",
        "JaVa\tscript:x",
        "data:text/html,x",
        "www.x.y",
    ],
)
def test_what_leaves_the_page_or_runs_is_absolute(address: str) -> None:
    assert is_absolute(address)


@pytest.mark.parametrize("address", ["/faq", "faq.md#a", "?q=1", "#top", "i", ""])
def test_what_stays_on_the_page_is_not(address: str) -> None:
    assert not is_absolute(address)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("see https://evil.example/x.", "see evil.example/x."),
        ("https://www.evil.example", "evil.example"),
        ("https://https://evil.example", "evil.example"),
        ("mailto:a@evil.example", "a@evil.example"),
        ("slack://evil", "slack//evil"),
        ("hthttps://tps://evil", "hthttps//tps//evil"),
        ('https://ok.example/a"@evil.example', 'ok.example/a"@evil.example'),
        ("https://ok.example/a]@evil.example", "ok.example/a]@evil.example"),
        ("https://ok.example/a看", "https://ok.example/a 看"),
        ("https://ok.example/a。看", "https://ok.example/a。看"),
        ("https://ok.example/a。evil", "https://ok.example/a 。evil"),
        ("https://例.evil", "例.evil"),
        ("https: 和 http 是协议", "https: 和 http 是协议"),
    ],
)
def test_an_address_that_was_not_given_is_plain_text(text: str, shown: str) -> None:
    assert with_only(text, GIVEN) == shown


def test_plain_text_of_an_address_leads_nowhere() -> None:
    assert plain("https://a.b/?u=http://c.d") == "a.b/?u=c.d"
    assert plain("HTTPS://WWW.a.b") == "a.b"
