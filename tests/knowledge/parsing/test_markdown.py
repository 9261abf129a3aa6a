import time
from collections.abc import Sequence

import pytest

from knowledge.parsing import markdown
from knowledge.parsing.markdown import markdown_blocks, plain_title


def _read(text: str) -> list[tuple[str, str]]:
    return [(block.kind, text[block.start : block.end]) for block in markdown_blocks(text)]


def _kinds(text: str) -> list[str]:
    return [block.kind for block in markdown_blocks(text)]


@pytest.mark.parametrize(
    ("text", "level", "title"),
    [
        ("# Fees", 1, "Fees"),
        ("### Fees ###", 3, "Fees"),
        ("   ## Fees\t", 2, "Fees"),
        ("# Issue #", 1, "Issue"),
        ("# C#", 1, "C#"),
        ("Fees\n====", 1, "Fees"),
        ("Fees and\nterms\n---", 2, "Fees and terms"),
        ("## **Fees** of the [basic](a.md) plan", 2, "Fees of the basic plan"),
        ("## The `__init__` file {#init}", 2, "The __init__ file"),
        ("# 2 * 3 and snake_case_name", 1, "2 * 3 and snake_case_name"),
        ("# **重点**内容", 1, "重点内容"),
        ("#", 1, ""),
    ],
)
def test_headings_have_their_level_and_their_plain_words(text: str, level: int, title: str) -> None:
    (block,) = markdown_blocks(text)

    assert (block.kind, block.level, block.title) == ("heading", level, title)
    assert (block.start, block.end) == (0, len(text))


@pytest.mark.parametrize("text", ["#hashtag", "####### seven", "\\# Fees", "words\n    # Fees"])
def test_what_only_looks_like_a_heading_is_running_text(text: str) -> None:
    assert _kinds(text) == ["paragraph"]


@pytest.mark.parametrize(
    "code",
    [
        "```sh\n# stop it\n```",
        "````md\n```sh\n# stop it\n```\n````",
        "~~~\n```\n# stop it\n~~~",
        "```\n~~~\n\n# stop it\n```",
        "```\n# stop it\n\n# never closed",
        "    # stop it\n\n    # go on",
        "\t# stop it",
        "<pre>\n# stop it\n\n# go on\n</pre>",
        "  ```\n  # stop it\n ```",
    ],
)
def test_code_is_one_block_and_its_comments_are_no_headings(code: str) -> None:
    assert _read(f"before\n\n{code}") == [("paragraph", "before"), ("code", code)]


def test_code_in_an_item_goes_on_where_its_lines_hang_out_of_the_item() -> None:
    text = "1. Run:\n\n   ```sh\n   # stop it\n# go on\n   ```\n2. Wait."

    assert [kind for kind, _ in _read(text)] == ["list_item", "code", "list_item"]


def test_an_open_fence_of_an_item_ends_with_it_where_it_is_never_closed() -> None:
    assert _kinds("- ```\n  # a\n\n# Fees\n\n```sh\nb\n```") == ["code", "heading", "code"]


def test_a_table_tells_where_its_header_ends() -> None:
    text = "Prices:\n| Name | Price |\n|------|------:|\n| a \\| b | 1 |\n| c | 2 |\nNo row."

    paragraph, table, after = markdown_blocks(text)

    assert text[paragraph.start : paragraph.end] == "Prices:"
    assert text[table.start : table.header_end] == "| Name | Price |\n|------|------:|"
    assert text[table.header_end : table.end] == "\n| a \\| b | 1 |\n| c | 2 |"
    assert text[after.start : after.end] == "No row."


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("a | b\n--- | ---\n1 | 2", ["table"]),
        ("- item\n\n  | a | b |\n  |:-:|---|\n  | 1 | 2 |", ["list_item", "table"]),
        ("> | a |\n> |---|\n> | 1 |", ["table"]),
        ("a | b\n1 | 2", ["paragraph"]),
        ("a\n--- | ---", ["paragraph"]),
    ],
)
def test_a_pipe_table_has_a_line_under_its_header(text: str, kinds: Sequence[str]) -> None:
    assert _kinds(text) == kinds


def test_a_table_without_rows_has_no_header_to_repeat() -> None:
    (table,) = markdown_blocks("| a | b |\n|---|---|")

    assert (table.kind, table.header_end) == ("table", 0)


def test_items_have_their_depth_and_the_lines_that_go_on() -> None:
    text = "- one\n  goes on\n  1. two\n\n     later\n     * three\nlazy\n- [ ] four"

    found = [(block.level, text[block.start : block.end]) for block in markdown_blocks(text)]

    assert found == [
        (1, "- one\n  goes on"),
        (2, "  1. two"),
        (0, "     later"),
        (3, "     * three\nlazy"),
        (1, "- [ ] four"),
    ]


def test_an_empty_item_takes_no_line_that_stands_outside() -> None:
    assert _read("-\nwords") == [("list_item", "-"), ("paragraph", "words")]
    assert _read("-\n  words") == [("list_item", "-\n  words")]


def test_a_year_at_the_start_of_a_line_begins_no_list() -> None:
    assert _kinds("It was founded in\n2026. And it grew.") == ["paragraph"]


def test_headings_in_quotes_and_items_head_no_section() -> None:
    assert _kinds("> # Quoted\n> words\n\n- # Item") == ["paragraph", "paragraph", "list_item"]


@pytest.mark.parametrize(
    "text", ["---\ntitle: Fees\n# no heading\n---", '+++\ntitle = "Fees"\n# no heading\n+++']
)
def test_front_matter_is_code(text: str) -> None:
    assert _read(f"{text}\n# Fees") == [("code", text), ("heading", "# Fees")]


def test_a_rule_at_the_start_is_no_front_matter() -> None:
    assert _kinds("---\n\n# Fees\n\n---") == ["paragraph", "heading", "paragraph"]


@pytest.mark.parametrize(
    "text",
    ["<div>\n# no heading\n</div>", "<!-- a\n\n# no heading\n\nb -->", "<x-y>\n# no\n</x-y>"],
)
def test_html_is_a_paragraph(text: str) -> None:
    assert _read(f"{text}\n\nwords") == [("paragraph", text), ("paragraph", "words")]


def test_a_footnote_is_a_note() -> None:
    assert _kinds("It costs 25[^1] euros.\n\n[^1]: without tax") == ["paragraph", "note"]


def test_every_word_stands_in_one_block() -> None:
    text = "a\n***\n* b\n> c\n    d\n\n\te\n| f\n```\ng\n" * 3

    placed = markdown_blocks(text)

    inside = "".join(text[block.start : block.end] for block in placed)
    assert [letter for letter in inside if letter.isalpha()] == list("abcdefg" * 3)
    assert all(one.end < two.start for one, two in zip(placed, placed[1:], strict=False))


@pytest.mark.parametrize(
    "text",
    [
        ">" * 100_000,
        "- " * 50_000 + "x",
        "".join("  " * depth + "- x\n" for depth in range(400)),
        "words " * 200_000,
        "|" * 200_000,
        "a|b\n" + "| " * 100_000 + "x",
        "# " + "`" * 200_000,
        "# " + "*a " * 100_000,
        "- ```\nx\n" * 5_000,
        "<!-- a\n" * 20_000,
        "[" * 200_000,
    ],
    ids=range(11),
)
def test_hostile_text_takes_no_longer_than_its_length_allows(text: str) -> None:
    begin = time.process_time()

    markdown_blocks(text)

    assert time.process_time() - begin < 2


def test_more_blocks_than_memory_should_hold_end_in_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(markdown, "MAX_BLOCKS", 2)

    assert [text for _, text in _read("a\n\nb\n\nc\n\nd")] == ["a", "b", "c\n\nd"]


def test_a_very_long_title_keeps_its_markup() -> None:
    assert plain_title("*a* " * 1_000) == ("*a* " * 1_000).strip()
