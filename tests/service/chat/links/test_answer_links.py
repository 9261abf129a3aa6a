"""Links and images of an answer lead to what the model was given, in whatever pieces it comes."""

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from service.chat.links.addresses import addresses_in
from service.chat.links.answer_links import LinkFilter, limited

GIVEN = addresses_in(["https://ok.example/a and www.ok.example"])
BITS = (
    'http https :// : // evil.example ok.example/a https://ok.example/a [ ] ( ) ! ` < > " www. . '
    "a 1 &colon; \\ \\u003a { 了 。 x [a](https://e.example) ![b](//e) ``` ~~~ <img\u00a0src="
).replace("\u00a0", " ").split(" ") + [" ", "\n", "```\n", "<img src="]


def streamed(text: str, sizes: list[int]) -> str:
    stream, shown, start = LinkFilter(GIVEN), "", 0
    for size in [*sizes, *[7] * (len(text) // 7 + 1)]:
        shown += stream.add(text[start : start + size])
        start += size
    return shown + stream.rest()


@given(
    st.lists(st.sampled_from(BITS), max_size=16).map("".join),
    st.lists(st.integers(0, 5), max_size=30),
)
@example("x ![a](https://evil.example) y", [1] * 30)
@example("https&colon;//evil.example", [5, 4, 3, 2, 1])
@example('{"a": "\\u0021[x](https://evil.example)"}', [1] * 30)
@example('{"a": "\\u003cimg src=//evil.com/p?secret \\u003e and more, if x > 3"}', [1] * 60)
@example('{"a": "\\u005bx](https://evil.example) y"}', [4] * 30)
@example("a `b` ``c [x](//e)", [1] * 30)
@example("[1](https://evil.example) and [2] so", [3, 1] * 9)
def test_the_pieces_shown_are_the_whole_answer_limited(text: str, sizes: list[int]) -> None:
    assert streamed(text, sizes) == limited(text, GIVEN)


@given(st.lists(st.sampled_from([*BITS, "word ", "了解。"]), min_size=60, max_size=120))
def test_a_long_line_is_limited_as_a_short_one_is(bits: list[str]) -> None:
    text = "".join(bits).replace("\n", " ")
    assert streamed(text, [3] * (len(text) // 3)) == limited(text, GIVEN)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("See ![a](https://evil.example/?q=1) b", "See a b"),
        ("[a](https://ok.example/a)", "[a](https://ok.example/a)"),
        ("[a](https://ok.example/a?q=1)", "a"),
        ("[1](https://evil.example) so", "[1] so"),
        ('[a](<https://evil.example> "t")', "a"),
        ("[a](/faq) and f[0](x)", "[a](/faq) and f[0](x)"),
        ("![a](//evil.example/x)", "a"),
        ("![a](/\\evil.example/x)", "a"),
        ("[a](javascript:alert)", "a"),
        ("[![a](https://e.example)](https://f.example)", "a"),
        ("<https://evil.example>", "evil.example"),
        ('<img src="https://evil.example/a" alt=">">x', "x"),
        ("<img src=//evil.example/a>", ""),
        ("<meta content='0;url=//evil.example'>", ""),
        ("<img srcset='/a 1x, https://evil.example 2x'>", ""),
        ("![a][x]\n\n[x]: https://evil.example/x", "![a][x]\n\n[x]: evil.example/x"),
        ("http[:](https://e.example)//evil.example", "http : //evil.example"),
        ("www.[evil.example](https://e.example)", "www. evil.example"),
        ("[docs](https://e.example).com", "docs .com"),
        ("`![x](https://evil.example)`", "`x`"),
        ("\\`![x](https://evil.example)\\`", "\\`x \\`"),
        ("see `curl https://api.example`", "see `curl https://api.example`"),
        ("std::vector<std::string> <b>", "std::vector<std::string> <b>"),
        ('{"a": "![x](https:\\/\\/evil.example)"}', '{"a": "x"}'),
        ('{"a": "\\u0021\\u005bx\\u005d(https://evil.example)"}', '{"a": "x"}'),
        ('{"url": "https://api.example"}', '{"url": "https://api.example"}'),
        ('[\n {"a": "[x](https://evil.example)"}]', '[\n {"a": "x"}]'),
        ('{"a": "![x][](https://e.example)(https://evil.example)"}', None),
    ],
)
def test_what_stays_of_an_answer(text: str, shown: str | None) -> None:
    if shown is None:
        assert "](" not in limited(text, GIVEN)
    else:
        assert limited(text, GIVEN) == shown


CODE = "```html\n<img src='https://cdn.example/a.png'>\n[a](https://b.example)\n```\n"
LIVE = "![x](https://evil.example)\n"


def test_code_between_fences_stays_as_it_is_and_what_follows_does_not() -> None:
    assert limited(f"Use\n{CODE}{LIVE}", GIVEN) == f"Use\n{CODE}x\n"
    assert limited(f"~~~\n```\n{LIVE}~~~\n{LIVE}", GIVEN) == f"~~~\n```\n{LIVE}~~~\nx\n"


@pytest.mark.parametrize(
    "before", ["> ```\n", "- ```\n", "<!--\n```\n-->\n", "a ```\n\n", " ```\n```\n"]
)
def test_a_fence_that_readers_may_see_ended_is_not_believed(before: str) -> None:
    assert "](" not in limited(f"{before}{LIVE}```\n{LIVE}```\n", GIVEN)


def test_all_links_stay_where_all_are_allowed_and_none_where_none_is() -> None:
    text = "![a](https://evil.example) https://ok.example/a"
    assert limited(text, None) == text
    assert limited(text, frozenset()) == "a ok.example/a"


def test_words_are_shown_at_once_and_a_possible_link_is_held_back() -> None:
    stream = LinkFilter(GIVEN)
    pieces = ["A lamp", " costs", " 30. See", " [the", " list](https://", "evil.example)", " now"]
    assert [stream.add(piece) for piece in pieces] == [
        "A lamp",
        " costs",
        " 30. See",
        " ",
        "",
        "the list",
        " now",
    ]


@pytest.mark.parametrize(
    "bit", ["[", "[a](", "<a ", "`", "http:", "![x](a", "\\", "<a b=", "[a]", "://"]
)
def test_a_hostile_line_takes_no_time(bit: str) -> None:
    started = time.monotonic()
    limited(bit * 3000, GIVEN)
    assert time.monotonic() - started < 5
