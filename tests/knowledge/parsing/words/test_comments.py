"""Comments in Markdown are left out and told, but for those that code shows."""

import time

import pytest

from knowledge.parsing import parse


def _read(text: str) -> tuple[str, list[str]]:
    parsed = parse("a.md", text.encode())
    return parsed.text, [f"{item.what} | {item.where}" for item in parsed.left_out]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Price 99.\n\n<!-- floor 61 -->\n", "Price 99.\n\n\n"),
        ("Price <!-- floor 61 -->99.", "Price 99."),
        ("a\n<!--\nfloor 61\n\nmore\n-->\nb", "a\n\nb"),
        ("a\n\n[//]: # (floor 61)\n", "a\n\n\n"),
        ('a\n\n[comment]: <> "floor 61"\nb', "a\n\n\nb"),
        ("a <!--> b", "a  b"),
    ],
)
def test_comments_are_left_out_and_told(text: str, left: str) -> None:
    assert _read(text)[0] == left
    assert [told.split(" | ")[0] for told in _read(text)[1]] == ["hidden text"]


@pytest.mark.parametrize(
    "text",
    [
        "```html\n<!-- a -->\n```",
        "````\n```\n<!-- a -->\n````",
        "Write `<!-- a -->` there.",
        "    <!-- a -->",
        "<!-- never closed\n\nAll of this is read.",
        "[a]: https://a.example (title)",
    ],
)
def test_code_and_open_comments_stay(text: str) -> None:
    assert _read(text) == (text, [])


def test_comments_and_pictures_are_told_with_their_lines() -> None:
    picture = f"![b](data:image/png;base64,{'A' * 99})"
    text, told = _read(f"<!-- 1 -->\n{picture}\n<!-- 3\n4 -->\na")
    assert text == "\n![b]()\n\na"
    assert told == ["picture | line 2", "hidden text (2) | line 1, line 3"]


@pytest.mark.parametrize("text", ["<!--" * 50_000, "<!-- a -->\n" * 20_000, "[//]: # (" * 50_000])
def test_many_comments_take_linear_time(text: str) -> None:
    began = time.process_time()
    parse("a.md", f"a {text}".encode())
    assert time.process_time() - began < 3
