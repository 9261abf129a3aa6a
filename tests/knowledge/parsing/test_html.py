"""A web page says what a browser shows: numbers, code, tables, and what was left out."""

import time
from collections.abc import Sequence

import pytest

from knowledge.parsing.blocks import Block as AnyBlock
from knowledge.parsing.blocks import (
    Caption,
    Code,
    Heading,
    ListItem,
    Paragraph,
    Rendered,
    Table,
    render,
)
from knowledge.parsing.html import read_html


def _blocks(markup: str) -> Sequence[AnyBlock]:
    return read_html("a.html", markup.encode(), 1_000_000).blocks


def _rendered(markup: str) -> Rendered:
    return render(_blocks(markup))


def _text(markup: str) -> str:
    return _rendered(markup).text


def _left_out(markup: str) -> list[tuple[str, str]]:
    read = read_html("a.html", markup.encode(), 1_000_000)
    return [(item.what, item.where) for item in read.not_read]


def _table(markup: str) -> Table:
    (table,) = _blocks(markup)
    assert isinstance(table, Table)
    return table


@pytest.mark.parametrize(
    ("markup", "lines"),
    [
        ("<ol><li>a<li>b</ol>", ["1. a", "2. b"]),
        ("<ol start=5 type=a><li>a<li>b</ol>", ["e. a", "f. b"]),
        ("<ol type=A start=26><li>a<li>b</ol>", ["Z. a", "AA. b"]),
        ("<ol type=i start=3><li>a<li value=9>b<li>c</ol>", ["iii. a", "ix. b", "x. c"]),
        ("<ol type=I start=0><li>a<li>b</ol>", ["0. a", "I. b"]),
        ("<ol style='list-style-type: lower-alpha' start=2><li>a<li>b</ol>", ["b. a", "c. b"]),
        ("<ol style='LIST-STYLE: inside upper-roman'><li>a<li>b</ol>", ["I. a", "II. b"]),
        ("<ol><li>a<li style='list-style-type:lower-roman'>b<li>c</ol>", ["1. a", "ii. b", "3. c"]),
        ("<ol style='list-style:none;margin:0'><li>1.1 a<li>1.2 b</ol>", ["- 1.1 a", "- 1.2 b"]),
        ("<ol style='list-style-image:none'><li>a</ol>", ["1. a"]),
        ("<ol reversed><li>a<li>b<ol><li>x</ol><li>c</ol>", ["3. a", "2. b", "  1. x", "1. c"]),
        ("<ol reversed start=9><li>a<li>b</ol>", ["9. a", "8. b"]),
        ("<ol start=x><li value=>a</ol>", ["1. a"]),
        ("<ul><li>a<ol><li>b</ol><li>c</ul>", ["- a", "  1. b", "- c"]),
        ("<ol><li><p>a</p><p>b</p><li><div>c</div></ol>", ["1. a", "b", "2. c"]),
        ("<ol><li></li><li>b</ol><li>stray", ["2. b", "- stray"]),
    ],
)
def test_items_have_the_number_a_browser_shows(markup: str, lines: list[str]) -> None:
    assert _text(markup).split("\n") == lines


def test_items_know_their_depth() -> None:
    assert _blocks("<ul><li>a<ul><li>b</ul></ul>") == [ListItem("a", "-", 1), ListItem("b", "-", 2)]


def test_a_step_that_is_code_keeps_its_number() -> None:
    markup = "<ol><li>Wait.<li><pre>run x</pre><li><h3>Then</h3>rest</ol>"
    expected = [ListItem("Wait.", "1."), Paragraph("2."), Code("run x"), Heading("3. Then", 3)]
    assert _blocks(markup) == [*expected, Paragraph("rest")]


def test_terms_stand_with_what_explains_them() -> None:
    markup = (
        "<dl><dt>Monday<dd>9<dd>14<dt>Tue<dt>Wed<dd><p>no</p><p>more</p><dt>How?<dd>So<dt>x</dl>"
    )
    expected = ["Monday: 9", "Monday: 14", "Tue, Wed: no", "more", "How? So", "x"]
    assert _text(markup).split("\n\n") == expected


@pytest.mark.parametrize(
    "markup",
    [
        "<pre>\n# stop\n  x: 1\n</pre>",
        "<pre><code># stop<br>  x: 1</code></pre>",
        "<pre><span class=k># stop</span>\n  <b>x</b>: 1</pre>",
        "<pre><div># stop</div><div>  x: 1</div></pre>",
        "<pre><ol><li># stop<li>  x: 1</ol></pre>",
        "<pre><span class=lineno>1 </span># stop\n<span class=lineno>2 </span>  x: 1</pre>",
        "<pre><table><tr><td class=ln-num>1</td><td># stop<tr><th class=gutter>2</th><td>  x: 1",
        "<table><tr><td><pre>8\n9</pre><td><pre># stop\n  x: 1</pre></table>",
        "<textarea># stop\n  x: 1</textarea>",
        "<p><code># stop<br>&nbsp;&nbsp;x: 1</code></p>",
        "<p><samp># stop</samp></p><p><kbd>  x: 1</kbd></p>",
    ],
)
def test_code_keeps_its_lines_and_indentation(markup: str) -> None:
    assert _blocks(markup) == [Code("# stop\n  x: 1")]


def test_code_in_a_sentence_or_item_is_words() -> None:
    assert _text("<p>Type <code>ls</code>.</p><ul><li><code>ls</code></ul>") == "Type ls.\n\n- ls"


def test_numbers_before_other_code_are_no_numbers_of_lines() -> None:
    assert len(_blocks("<pre>1\n2</pre><pre>a\nb\nc</pre><pre>2\n4</pre><pre>a\nb</pre>")) == 4


def test_text_that_looks_like_marks_is_escaped() -> None:
    assert _text("<p># a<br># b<p>```<p>1. c") == "\\# a\n\\# b\n\n\\```\n\n1. c"


@pytest.mark.parametrize(
    ("markup", "rows"),
    [
        ("<tr><td rowspan=2>A<td>1<tr><td>2", ["A | 1", "A | 2"]),
        ("<tr><td rowspan=0>A<td>1<tr><td>2<tr><td>3", ["A | 1", "A | 2", "A | 3"]),
        ("<tr><td>1<td rowspan=2>A<tr><td>2", ["1 | A", "2 | A"]),
        ("<tr><td>1<td>2<td rowspan=2>A<tr><td>3", ["1 | 2 | A", "3 |  | A"]),
        ("<tr><td>1<td colspan=2>A<tr><td>2<td>3<td>4", ["1 | A | A", "2 | 3 | 4"]),
        ("<tr><td>1<td colspan=9>A<tr><td>2<td colspan=9>B", ["1 | A", "2 | B"]),
        ("<tr><td>1<td>2<tr><td colspan=99>A<tr><td>3<td>4", ["1 | 2", "A", "3 | 4"]),
        ("<tbody><tr><td rowspan=9>A<td>1<tbody><tr><td>B<td>2", ["A | 1", "B | 2"]),
        ("<tr><td colspan=x rowspan=-1>1<td>2", ["1 | 2"]),
        ("<tr><td rowspan=2>A<tr><td>1", ["A", "A | 1"]),
    ],
)
def test_merged_cells_are_filled(markup: str, rows: list[str]) -> None:
    assert _text(f"<table>{markup}</table>").split("\n") == rows


@pytest.mark.parametrize(
    ("markup", "header_rows"),
    [
        ("<tr><th>A<th>B<tr><td>x<td>y", 1),
        ("<thead><tr><td>2024<td>2025<tbody><tr><td>1<td>2", 1),
        ("<tr><td><th>B<tr><th>x<td>y", 1),
        ("<tr><th rowspan=2>A<th colspan=2>B<tr><th>C<th>D<tr><td>x<td>y<td>z", 2),
        ("<tr><th>A<th colspan=2>B<tr><td>x<td>y<td>z<tr><td>x<td>y<td>z", 1),
        ("<tr><th>Monday<td>open<tr><th>Tuesday<td>closed", 0),
        ("<thead><tr><td>A<td>B<tr><td>1<td>2<tr><td>3<td>4", 1),
        ("<tr><td>A<td>B<tr><td>1<td>2", 1),
        ("<tr><td>1<td>2<tr><td>3<td>4", 0),
    ],
)
def test_a_table_knows_its_header(markup: str, header_rows: int) -> None:
    assert _table(f"<table>{markup}</table>").header_rows == header_rows


def test_a_caption_or_a_first_row_over_all_columns_is_the_title() -> None:
    table = _table(
        "<table><caption>Prices <b>2026</b></caption><tr><th>A<th>B<tr><td>1<td>2</table>"
    )
    assert (table.title, table.header_rows) == ("Prices 2026", 1)
    table = _table("<table><tr><th colspan=2>Prices<tr><th>A<th>B<tr><td>1<td>2</table>")
    assert (table.title, table.header_rows) == ("Prices", 1)


def test_a_table_that_lays_a_page_out_is_no_data() -> None:
    inner = "<table><tr><th>x<th>y<tr><td>1<td>2</table>"
    page = f"<table><tr><td><h2>Menu</h2><ul><li>a</ul><td><p>One.</p><p>Two.</p>{inner}</table>"
    kinds = [type(block) for block in _blocks(page)]
    assert kinds == [Heading, ListItem, Paragraph, Paragraph, Table]
    assert _text("<table><tr><td>a<tr><td>b</table>") == "a\n\nb"
    assert _text("<table role=presentation><tr><td>a<td>b</table>") == "a\n\nb"


def test_lists_in_cells_of_data_stay_in_their_row() -> None:
    rows = "<tr><td>Plan<td>Has<tr><td>Basic<td><ul><li>mail<li>chat</ul><tr><td>Pro<td>all"
    assert _text(f"<table>{rows}</table>") == "Plan | Has\nBasic | - mail - chat\nPro | all"


def test_a_list_left_open_in_a_cell_ends_with_it() -> None:
    assert _text("<table><tr><th><ul><li>a<td>b</table><ul><li>x</ul>") == "- a | b\n\n- x"


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("10<sup>6</sup> m<sup>2</sup> CO<sub>2</sub> x<sub>1</sub>2", "10^6 m² CO2 x1 2"),
        ('10<b style="vertical-align: super">6</b> <i style="vertical-align:sub">1</i>', "10^6 1"),
        ("$19<sup>99</sup> 5<sup>49</sup> €", "$19.99 5.49 €"),
        ("<span>$</span><span>19</span><sup>99</sup>", "$19.99"),
        ('25<sup><a href="#f1">2</a></sup> euros', "25 (note 2) euros"),
        ('25<a href="#f1"><sup>2</sup></a> euros', "25 (note 2) euros"),
        ('25<sup><a href="#f1"><span>[</span>2<span>]</span></a></sup> euros', "25 (note 2) euros"),
        ('25<a role="doc-noteref" href="n.html">2</a> euros', "25 (note 2) euros"),
        ('25<a epub:type="noteref" href="n.html#a">2</a> euros', "25 (note 2) euros"),
        ('See <a href="#s2">section 2</a>.', "See section 2."),
        ('<p>12 <a href="#ref">↩</a></p>', "12"),
        ("12<sup>3", "12^3"),
        ('it<sup><a href="a#b">source needed</a></sup> is', "it source needed is"),
    ],
)  # fmt: skip
def test_no_raised_or_lowered_digit_joins_a_number(markup: str, text: str) -> None:
    assert _text(markup) == text


def test_a_raised_figure_is_a_note_where_a_paragraph_begins_with_it() -> None:
    markup = "<p>The fee is 25<sup>3</sup> euros.</p><p><sup>3</sup> without tax</p>"
    assert _text(markup) == "The fee is 25 (note 3) euros.\n\n(note 3) without tax"


def test_an_open_raised_element_ends_with_its_paragraph() -> None:
    assert _text("<p>10<sup>6</p><p>25</p>") == "10^6\n\n25"


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<del>99 euros</del> <ins>79 euros</ins>", "~~99 euros~~ 79 euros"),
        ("<s>3</s> <strike>4</strike> 5", "~~3~~ ~~4~~ 5"),
        ('<span style="text-decoration: line-through">9</span> 8', "~~9~~ 8"),
        ("<del><p>a</p><p>b</p></del>c", "~~a~~\n\n~~b~~\n\nc"),
        ("<del>a<table><tr><th>b</del><td>c</table>d", "~~a~~\n\n~~b~~ | ~~c~~\n\n~~d~~"),
        ('<p style="text-decoration:line-through">a<p>b', "~~a~~\n\nb"),
    ],
)
def test_struck_words_are_marked(markup: str, text: str) -> None:
    assert _text(markup) == text


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<span>1</span><span>2</span><div>3</div><div>4</div>", "12\n\n3\n\n4"),
        ('<span style="display:block">1</span><span style="display: flex">2</span>', "1\n\n2"),
        ("<button>1</button><button>2</button>", "1 2"),
        ("Kün&shy;di<wbr>gung", "Kündigung"),
        ("<ruby>漢<rp>(</rp><rt>かん</rt><rp>)</rp>字<rt>じ</rt></ruby>", "漢字 (漢字: かん じ)"),
        ("<q>yes</q>", "“yes”"),
        ("a<br>b<br><br>c", "a\nb\n\nc"),
        ('<div style="white-space: pre-wrap">a\nb</div>', "a\nb"),
        ("<fieldset><legend>Size</legend><input type=radio checked>S</fieldset>", "Size\n\n[x] S"),
        ("<select><option>a<option>b</select><input value=KD-1>", "a, b KD-1"),
        ('<math alttext="x^2"><mn>2</mn></math>', "x^2"),
        ("<p hidden=until-found>a<p>b", "a\n\nb"),
        ("<details><summary>Terms</summary>30 days</details>", "Terms\n\n30 days"),
    ],
)  # fmt: skip
def test_words_part_where_a_browser_parts_them(markup: str, text: str) -> None:
    assert _text(markup) == text


def test_two_line_breaks_part_paragraphs() -> None:
    assert _blocks("a<br>b<br> <br>c") == [Paragraph("a\nb"), Paragraph("c")]


def test_a_figure_has_its_caption() -> None:
    markup = '<figure><img alt="Box 12"><figcaption><p>Where it is</figcaption></figure>after'
    assert _blocks(markup) == [Paragraph("Box 12"), Caption("Where it is"), Paragraph("after")]


def test_the_title_is_a_heading_unless_the_first_one_says_the_same() -> None:
    assert _text("<title>Shop</title><h1>Fees</h1>") == "# Shop\n\n# Fees"
    assert _text("<title>Fees</title><h1>Fees <a href='#f'>¶</a></h1>a") == "# Fees\n\na"


def test_a_heading_that_is_never_closed_ends_at_the_next_paragraph() -> None:
    assert _text("<h2>Fees<p>One.<p>Two.") == "## Fees\n\nOne.\n\nTwo."


@pytest.mark.parametrize(
    ("markup", "what"),
    [
        ("<p hidden>draft<p>a", [("hidden text", "line 1")]),
        ('a\n<div style="display: none">x<div>y</div>z</div>', [("hidden text", "line 2")]),
        ("a<video src=v.mp4>old browser</video>", [("video", "v.mp4")]),
        ("a<object data=f.pdf>b</object>", [("object", "f.pdf")]),
        ("a<embed src=f.swf>", [("embed", "f.swf")]),
        ("a<svg><text>b</text><text>c</text></svg>", [("text in a drawing", "line 1")]),
        ("a<math><mn>5</mn></math>", [("formula", "line 1")]),
        ("a<script>b</script><style>c</style><iframe>d</iframe><img src=e>", []),
        ("a<pre><span class=lineno>1</span></pre>", []),
        ("a<select>" + "<option>" * 30 + "</select>", []),
    ],
)  # fmt: skip
def test_what_is_not_read_is_told(markup: str, what: list[tuple[str, str]]) -> None:
    assert _left_out(markup) == what
    assert _text(markup) == "a"


def test_a_long_list_to_choose_from_is_cut_and_told() -> None:
    markup = "<select>" + "".join(f"<option>c{n}" for n in range(40)) + "</select>"
    assert _text(markup).endswith("c28, c29")
    assert _left_out(markup) == [("10 choices of a form", "line 1")]
    assert _text(markup.replace("</select>", "<p>after")).endswith("c29\n\nafter")


def test_hidden_text_is_read_where_there_is_nothing_else() -> None:
    assert _text("<body style='display:none'><p>a</p></body>") == "a"
    assert _left_out("<body style='display:none'><p>a</p></body>") == []


@pytest.mark.parametrize(
    "markup",
    [
        "<div>" * 5_000 + "<h1>x",
        "<ul><li>x" * 5_000,
        "<table><tr><td>x" * 2_000,
        "<table><tr><td colspan=100000 rowspan=65535>x<td>y" + "<tr><td>z" * 500 + "</table>",
        "<table>" + "<tr><td rowspan=2 colspan=2>x<td>y<tr><td>z" * 2_000 + "</table>",
        "<table>" + ("<tr>" + "<td>1" * 2_000) * 10 + "</table>x",
        "x<del>" * 3_000 + "<span style='display:block'>" * 3_000 + "</del>" * 3_000,
        "x<pre>" * 5_000,
        "</table></td></li></dl></del></h1>" * 2_000 + "x",
        "<dl>" + "<dt>x<dd>y" * 5_000,
        "x<sup>1" * 5_000,
    ],
    ids=range(11),
)
def test_hostile_markup_is_read_in_linear_time(markup: str) -> None:
    begin = time.process_time()
    assert "x" in _text(markup)
    assert time.process_time() - begin < 3
