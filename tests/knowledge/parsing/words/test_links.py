"""An address stands beside the words of a link that do not show it."""

import pytest

from knowledge.parsing.words.links import address_beside, host_of


@pytest.mark.parametrize(
    ("words", "target", "address"),
    [
        ("this form", "https://a.example/f?x=1", "https://a.example/f?x=1"),
        ("the shop", "HTTPS://A.example", "HTTPS://A.example"),
        ("a.example/f", "https://www.a.example/f/", ""),
        ("see https://a.example/f for more", "https://a.example/f", ""),
        ("a.example", "https://a.example/f", "https://a.example/f"),
        ("write to us", "mailto:help@a.example?subject=Hi", "help@a.example"),
        ("Help@a.example", "mailto:help@a.example", ""),
        ("call us", "tel:+49-30-123456", "+49-30-123456"),
        ("030 123 456", "tel:+4930123456", ""),
        ("110", "tel:110", ""),
        ("报警 12315", "tel:12315", ""),
        ("extension 17", "tel:030123417", "030123417"),
        ("about us", "/about", ""),
        ("the form", "forms/return.pdf", "forms/return.pdf"),
        ("表格", "../下载/退货.xlsx#a", "../下载/退货.xlsx#a"),
        ("here", "/about", "/about"),
        ("Click here »", "/about", "/about"),
        ("点击这里", "/huan", "/huan"),
        ("top", "#top", ""),
        ("here", "#top", ""),
        ("write to us", "mailto:help%40a.example", "help@a.example"),
        ("the form", "file:/C:/forms/return.docx", "file:/C:/forms/return.docx"),
        ("run", "javascript:go()", ""),
        ("x", "data:text/plain,abc", ""),
        ("the form", "file:///C:/forms/return.docx", "file:///C:/forms/return.docx"),
        ("the folder", "file:///C:/forms", ""),
        ("x", "", ""),
    ],
)
def test_what_words_show_is_not_said_again(words: str, target: str, address: str) -> None:
    assert address_beside(words, target) == address


def test_pages_of_the_same_site_are_not_told_but_files_are() -> None:
    assert address_beside("prices", "https://www.a.example/p", site="a.example") == ""
    assert address_beside("prices", "https://b.example/p", site="a.example") != ""
    file = "https://a.example/p.pdf"
    assert address_beside("prices", file, site="a.example") == file
    assert host_of("https://www.A.example/p?x") == "a.example"
    assert host_of("/p") == ""


def test_an_address_that_counts_clicks_is_cut() -> None:
    address = address_beside("x", f"https://a.example/l?q={'z' * 300}")
    assert address == "https://a.example/l…"
