"""Words of web pages that are hidden, struck, linked, read aloud or behind a box to check."""

import pytest

from knowledge.parsing.blocks import render
from knowledge.parsing.html import read_html


def _read(markup: str) -> tuple[str, list[tuple[str, str]]]:
    found = read_html("page.html", f"<meta charset=utf-8>{markup}".encode(), 100_000)
    return render(found.blocks).text, [(item.what, item.where) for item in found.not_read]


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<ruby>漢<rt>かん</rt>字<rt>じ</rt></ruby>検定", "漢字検定 (漢字: かん じ)"),
        ("<ruby>漢字<rt>かんじ</ruby>検定を受ける。", "漢字検定を受ける。 (漢字: かんじ)"),
        ("<ruby>漢<rp>(<rt>かん<rp>)</ruby>検定", "漢検定 (漢: かん)"),
        ("<ruby>漢<rp>(</rp><rp>(<rt>かん</ruby>検定", "漢検定 (漢: かん)"),
        ("<ruby>漢 <rt>かん</rt> 字<rt>じ</rt></ruby>検定", "漢 字検定 (漢 字: かん じ)"),
        (
            "<ruby>New <rt>にゅう</rt> York<rt>よーく</rt></ruby>",
            "New York (New York: にゅう よーく)",
        ),
        (
            "<ruby><rb>東<rb>京<rt>とう<rt>きょう</ruby>駅<p>b",
            "東京駅 (東京: とう きょう)\n\nb",
        ),
        (
            "<ruby><rbc><rb>退</rb><rb>货</rb></rbc><rtc><rt>tuì</rt><rt>huò</rt></rtc></ruby>期限",
            "退货期限 (退货: tuì huò)",
        ),
        (
            "<p><ruby>退<rt>tuì</rt></ruby><ruby>货<rt>huò</rt></ruby>。",
            "退货。 (退货: tuì huò)",
        ),
        (
            "<ruby>\n <rb>漢</rb>\n <rt>かん</rt>\n <rb>字</rb>\n</ruby>検定",
            "漢字検定 (漢字: かん)",
        ),
        ("<h1><ruby>漢<rt>かん</rt></ruby>検</h1>b", "# 漢検\n\nb (漢: かん)"),
        ("<h1><ruby>漢<rt>かん</rt></ruby>検</h1>", "# 漢検\n\n(漢: かん)"),
        ("<p><ruby>漢<rt>かん<p>never closed", "漢 (漢: かん)\n\nnever closed"),
        (
            "<table><tr><th>a<th>b<tr><td><ruby>漢<rt>かん</rt></ruby>字<td>2</table>",
            "a | b\n漢字 (漢: かん) | 2",
        ),
    ],
)
def test_how_a_word_is_read_stands_behind_its_paragraph(markup: str, text: str) -> None:
    assert _read(markup) == (text, [])


HIDDEN = [("hidden text", "line 1")]


@pytest.mark.parametrize(
    ("markup", "text", "told"),
    [
        ("<style>.d{display:none}</style><p class='x d'>120</p>a", "a", HIDDEN),
        ("<style>p#d, .e {visibility : hidden}</style><p id=d>120</p>a", "a", HIDDEN),
        ("<style>/*x*/aside{DISPLAY:NONE}</style><aside>120</aside>a", "a", HIDDEN),
        ("<style>@media print{.d{display:none}.e{display:none}}</style><p class=e>a", "a", []),
        ("<style>.d{-webkit-backface-visibility:hidden}</style><p class=d>a", "a", []),
        ("<style>.d{mso-hide:all}</style><p class=d>120</p>a", "a", HIDDEN),
        ("<p style='backface-visibility:hidden'>a", "a", []),
        ("<p style='color:red;visibility:hidden'>120</p>a", "a", HIDDEN),
        ("<p style='font-size:0px'>120</p>a", "a", HIDDEN),
        ("<span style='FONT-SIZE : 0 ; x:y'>120</span>a", "a", HIDDEN),
        ("<p style='color:#fff;background:white'>120</p>a", "a", HIDDEN),
        ("<p style='background-color:#123456; color:#123456'>120</p>a", "a", HIDDEN),
        ("<p style='color:#fff;background:#000'>a", "a", []),
        ("<p style='color:#fff'>a", "a", []),
        ("<p style='font-size:0.8em'>a", "a", []),
        ("<div style='font-size:0'><p>a</p></div>", "a", []),
        ("<style>.d{display:none}.d.on{display:block}</style><p class=d>a", "a", []),
        ("<style>.d{display:none}</style><p class=d>a</p><script>f('d')</script>", "a", []),
        ("<style>.d{display:none}</style><p class=d style='display:block'>a", "a", []),
        ("<style>.nojs .d{display:none}</style><p class=d>a", "a", []),
        ("<template><p>120</template>a", "a", HIDDEN),
        ("<template shadowrootmode=open><p>a</template>", "a", []),
        ("<div role=navigation>Home</div>a", "a", []),
        ("<p aria-hidden=true>a", "a", []),
        ("<dialog>a</dialog>", "a", []),
    ],
)
def test_what_a_page_hides_is_told(markup: str, text: str, told: list[tuple[str, str]]) -> None:
    parted = f"{markup}<p>b</p>"
    assert _read(parted) == (f"{text}\n\nb", told)


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<table><tr><th>a<th>b<tr hidden><td>1<td>2<tr><td>3<td>4</table>", "a | b\n3 | 4"),
        ("<table><tr><th>a<th>b<tr hidden><td>1<td>2</table>c", "a | b\n\nc"),
        ("<table><tr><td hidden>1<td>2<td>x<tr><td>3<td>4</table>", "2 | x\n3 | 4"),
        ("<ul><li>a<li hidden>b<ul><li>c</ul><li>d</ul>e", "- a\n- d\n\ne"),
        ("<p hidden>a<div>b</div>c", "b\n\nc"),
        (
            "<table><tr><th>a<th>b<tr><td><table hidden><tr><td>h</table>1<td>2</table>",
            "a | b\n1 | 2",
        ),
    ],
)
def test_a_hidden_element_without_an_end_hides_no_more(markup: str, text: str) -> None:
    assert _read(markup) == (text, HIDDEN)


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<a href='https://a.example/f'>this form</a>.", "this form (https://a.example/f)."),
        ("<a href='mailto:help@a.example?subject=x'>us</a>", "us (help@a.example)"),
        ("<a href='https://a.example'><img alt=Shop></a>", "Shop (https://a.example)"),
        ("<h2><a href='https://a.example'>A</a></h2>b", "## A\n\n(https://a.example)\n\nb"),
        (
            "<a href='https://a.example'>a<a href='https://b.example'>b</a>",
            "a (https://a.example)b (https://b.example)",
        ),
        ("<nav><a href='https://a.example'>x</a></nav>a", "a"),
        ("<a href='https://a.example'><img src=x.png></a>a", "a"),
        ("<a href='#top'>up</a>", "up"),
        (
            "<a href='https://a.example/p#n1'><sup>1</sup></a><p><sup>1</sup> Note.",
            "(note 1)\n\n(note 1) Note.",
        ),
        ("<base href='https://a.example/'><a href='https://a.example/p'>prices</a>", "prices"),
        (
            "<link rel=canonical href='https://www.a.example/'><a href='https://a.example/p'>here</a>",
            "here (https://a.example/p)",
        ),
        (
            "<link rel=canonical href='https://www.a.example/'><a href='https://a.example/p'>prices</a>",
            "prices",
        ),
        (
            "<meta property=og:url content='https://a.example/x'><a href='https://a.example/p'>prices</a>",
            "prices",
        ),
        (
            "<!-- saved from url=(0017)https://a.example/ --><a href='https://a.example/p'>prices</a>",
            "prices",
        ),
    ],
)
def test_an_address_stands_behind_words_that_do_not_show_it(markup: str, text: str) -> None:
    assert _read(markup)[0] == text


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<input TYPE=Checkbox checked>yes <input type=checkbox>no", "[x] yes [ ] no"),
        ("<input type=checkbox aria-checked=mixed>some", "[-] some"),
        ("<input type=checkbox indeterminate>some", "[-] some"),
        (
            "<span role=checkbox aria-checked=true></span>a <i role=radio aria-checked=false></i>b",
            "[x] a [ ] b",
        ),
        ("<b role=switch aria-checked=mixed></b>a", "[-] a"),
        ("<b role=menuitemradio aria-checked=true></b>a", "[x] a"),
        (
            "from <input type=date value=2026-03-02> <input type=time value=09:30>",
            "from 2026-03-02 09:30",
        ),
        ("in <input type=month value=2026-03>", "in 2026-03"),
        ("<input type=checkbox role=switch aria-checked=true checked>a", "[x] a"),
        ("<select><option>USD<option selected>EUR</select>", "USD, [x] EUR"),
        (
            "<span style='font-family:Wingdings'>þ</span> yes <font face=Wingdings>o</font> no",
            "☑ yes ☐ no",
        ),
        ("<span style='font: 11pt \"Wingdings 2\", serif'>R</span> yes", "☑ yes"),
        (
            "<style>.c1{text-decoration:line-through}</style><span class=c1>99</span> 79",
            "~~99~~ 79",
        ),
        (
            "<style>.price > .old{text-decoration: red line-through}</style><b class=old>99</b>",
            "~~99~~",
        ),
        ("<style>.p{vertical-align:super}</style>10<span class=p>6</span>", "10^6"),
    ],
)
def test_boxes_and_struck_words_are_what_a_reader_sees(markup: str, text: str) -> None:
    assert _read(markup) == (text, [])


def test_a_picture_inside_the_page_is_its_description_and_told() -> None:
    source = f"data:image/png;base64,{'A' * 300}"
    markup = f"<img alt='The red button' src='{source}'> a\n<img src='{source}'>"
    assert _read(markup) == ("The red button a", [("picture (2)", "line 1, line 2")])
    assert _read(f"a<object data='{source}'></object>")[1] == [("object", "line 1")]
    assert _read("<img alt=a src='data:image/gif;base64,R0lGOD'>") == ("a", [])
