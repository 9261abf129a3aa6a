"""Pictures that stand in a text as letters are taken out and told; their descriptions stay."""

import json
import time

import pytest

from knowledge.parsing import parse
from knowledge.parsing.blocks import Block, Paragraph, Table
from knowledge.parsing.words.pictures import blocks_without_pictures, without_pictures

LETTERS = "iVBORw0KGgo" + "Ab3+/" * 60
LINES = "\n".join(["iVBORw0KGgo" + "A" * 65, *["B" * 76] * 3, "CCC+/=="])


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (f"![The button](data:image/png;base64,{LETTERS}==) Press.", "![The button]() Press."),
        (f'![A](<data:image/png;base64,{LETTERS}> "title")', '![A](<> "title")'),
        (f"![A][img]\n\n[img]: data:image/png;base64,{LETTERS}\nb", "![A][img]\n\nb"),
        (f'[img]: <data:image/png;base64,{LETTERS}> "t"\nb', "b"),
        (
            f"[img]: data:image/png;base64,{LETTERS}\n[docs]: https://a.example\n[^1]: 25 EUR",
            "[docs]: https://a.example\n[^1]: 25 EUR",
        ),
        (f"![A](data:image/png;base64,{LETTERS})\n\n[Fee]: (25 EUR)", "![A]()\n\n[Fee]: (25 EUR)"),
        (f'[i]: data:image/png;base64,{LETTERS} "data:image/png;base64,{LETTERS}"\nb', "b"),
        (f'<img alt="A" src="data:image/jpeg;charset=x;base64,{LETTERS}">', '<img alt="A" src="">'),
        (f"| a | ![t](data:image/gif;base64,{LETTERS}) | c |", "| a | ![t]() | c |"),
        ("<img src='data:image/svg+xml;utf8,<svg a=\"b c\"/>' alt=A>", "<img src='' alt=A>"),
        ("![A](data:image/svg+xml,%3Csvg%3E) b", "![A]() b"),
        (f'"icon": "data:image\\/png;base64,{LETTERS}", "b": 1', '"icon": "", "b": 1'),
        (f'"thumb": "{LETTERS}"', '"thumb": ""'),
        (f"![A](data:image/png;base64,{LINES}) b\n\nNext", "![A]() b\n\nNext"),
        (f"data:image/png;base64,{LINES}\n\nNext", "\n\nNext"),
        (f"url(data:font/woff2;base64,{LETTERS})", "url()"),
    ],
)
def test_letters_of_pictures_are_taken_out(text: str, left: str) -> None:
    assert without_pictures(text).text == left


@pytest.mark.parametrize(
    "text",
    [
        "`data:text/plain;base64,SGVsbG8=`",
        "An address `data:image/png;base64,...` holds the picture.",
        "AAAAB3NzaC1yc2EAAAADAQABAAABgQ" * 10,
        "The file begins with iVBORw0KGgo.",
    ],
)
def test_examples_and_keys_stay(text: str) -> None:
    assert without_pictures(text).text == text


def test_markdown_tells_the_lines_of_its_pictures() -> None:
    text = f"# A\n\n![b](data:image/png;base64,{LINES})\n\n![c](data:image/png;base64,{LETTERS})"
    parsed = parse("a.md", text.encode())
    assert parsed.text == "# A\n\n![b]()\n\n![c]()"
    assert [(item.what, item.where) for item in parsed.left_out] == [
        ("picture (2)", "line 3, line 9")
    ]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", json.dumps({"name": "Lamp", "icon": f"data:image/png;base64,{LETTERS}"})),
        ("a.csv", f"name,icon\nLamp,{LETTERS}\nDoor,x\n"),
        ("a.html", f"<p>Lamp</p><pre>icon: {LETTERS}</pre>"),
    ],
)
def test_every_format_is_without_them(name: str, content: str) -> None:
    parsed = parse(name, content.encode())
    assert "Lamp" in parsed.text
    assert LETTERS[:40] not in parsed.text
    assert [item.what for item in parsed.left_out] == ["picture"]


@pytest.mark.parametrize(
    "text",
    [
        "data:image/png;base64," * 20_000,
        "data:image/a" + ";a" * 100_000,
        "data:image/png;base64," + ("A" * 76 + "\n") * 10_000,
        '"data:image/svg,' * 20_000,
        "/9j/4AAQSkZJRg" * 30_000,
    ],
)
def test_a_text_that_only_looks_like_pictures_takes_linear_time(text: str) -> None:
    began = time.process_time()
    without_pictures(text)
    assert time.process_time() - began < 2


def test_a_picture_is_told_by_the_words_beside_it() -> None:
    letters = f"data:image/png;base64,{'A' * 99}"
    blocks: list[Block] = [
        Paragraph(letters),
        Table(((f"plan {letters}", "x"), ("BX", letters)), 0),
    ]
    taken, places = blocks_without_pictures(blocks)
    assert taken == [Paragraph(""), Table((("plan ", "x"), ("BX", "")), 0)]
    assert places == ["alone", 'beside "plan"', 'beside "BX"']
