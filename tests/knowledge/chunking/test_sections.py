"""What stands under one heading, on one page."""

import pytest

from knowledge.chunking.sections import TITLE_CHARS, sections
from knowledge.parsing import ParsedText
from knowledge.parsing.blocks import PlacedBlock

MARKDOWN = (
    "Preface.\n\n# Plans\n\n## Fee\n\nTen.\n\n# Rooms\n\nFour.\n\n#### Keys\n\nAt the desk.\n"
)


def cut(parsed: ParsedText, *, at_headings: bool = True) -> list[tuple[str, str]]:
    return [
        (section.units[-1].heading, parsed.text[section.units[0].start : section.units[-1].end])
        for section in sections(parsed, at_headings=at_headings)
    ]


def test_a_section_is_what_stands_under_a_heading() -> None:
    assert cut(ParsedText(MARKDOWN, "markdown", "utf-8")) == [
        ("", "Preface."),
        ("Plans > Fee", "# Plans\n\n## Fee\n\nTen."),
        ("Rooms", "# Rooms\n\nFour."),
        ("Rooms > Keys", "#### Keys\n\nAt the desk."),
    ]


def test_without_cuts_at_headings_each_block_still_knows_its_path() -> None:
    parsed = ParsedText(MARKDOWN, "markdown", "utf-8")
    (whole,) = sections(parsed, at_headings=False)
    paths = [unit.heading for unit in whole.units if not unit.is_heading]
    assert paths == ["", "Plans > Fee", "Rooms", "Rooms > Keys"]


def test_a_page_ends_its_section_unless_a_block_goes_on() -> None:
    text = "One.\n\nTwo goes\non here.\n\nThree."
    starts = (text.index("on here"), text.index("Three"))
    blocks = (
        PlacedBlock("paragraph", 0, 4),
        PlacedBlock("paragraph", 6, text.index("here.") + 5),
        PlacedBlock("paragraph", text.index("Three"), len(text)),
    )
    parsed = ParsedText(text, "pdf", "binary", starts, blocks)
    assert [part for _, part in cut(parsed)] == ["One.\n\nTwo goes\non here.", "Three."]


def test_text_that_no_block_holds_is_not_lost() -> None:
    text = "before\n\n# Rooms\n\nafter"
    heading = PlacedBlock("heading", 8, 15, 1, title="Rooms")
    parsed = ParsedText(text, "html", "utf-8", blocks=(heading,))
    assert cut(parsed) == [("", "before"), ("Rooms", "# Rooms\n\nafter")]


def test_a_paragraph_marked_as_a_heading_does_not_stand_before_every_chunk() -> None:
    parsed = ParsedText(f"# {'word ' * 1_000}\n\nTen.\n", "markdown", "utf-8")
    (section,) = sections(parsed, at_headings=True)
    assert len(section.units[-1].heading) == TITLE_CHARS


@pytest.mark.parametrize(
    ("before", "header"),
    [
        ("", "<table>\n<tr><th>Code</th><th>Fee</th></tr>"),
        ("", "<table>\n<thead>\n<tr>\n<td>Code</td><td>Fee</td>\n</tr>\n</thead>"),
        ('<div align="center">\n', '<TABLE border="1"><tr>\n  <TH>Code\n  <th>Fee\n</TR>'),
        ("", "<table><caption>Fees</caption><tr><th>Code</th><td>Fee</td></tr>"),
    ],
)
def test_a_table_of_html_in_markdown_has_a_header(before: str, header: str) -> None:
    rows = "\n".join(f"<tr><td>K{row}</td><td>{row}</td></tr>" for row in range(9))
    text = f"# Fees\n\n{before}{header}\n{rows}\n</table>\n\nAll net.\n"
    (section,) = sections(ParsedText(text, "markdown", "utf-8"), at_headings=True)
    table = section.units[1]
    assert table.kind == "table"
    assert table.header is not None
    assert text[slice(*table.header)] == before + header


@pytest.mark.parametrize(
    "html",
    [
        "<table><tr><td>a</td></tr><tr><th>b</th></tr></table>",
        "<p>No table but <th> in words</tr>",
        "<table><tr><th>cut off",
        "<div>" * 20_000 + "<table><tr>" + "<th>" * 20_000,
    ],
)
def test_other_html_in_markdown_has_no_header(html: str) -> None:
    (section,) = sections(ParsedText(html, "markdown", "utf-8"), at_headings=True)
    assert [(unit.kind, unit.header) for unit in section.units] == [("paragraph", None)]


def test_a_heading_of_html_in_markdown_heads_a_section() -> None:
    text = '<h1 align="center">Lamp <em>kit</em></h1>\n\nTen.\n\n<h2>Fee</h2>\n\nFour.\n'
    assert [heading for heading, _ in cut(ParsedText(text, "markdown", "utf-8"))] == [
        "Lamp kit",
        "Lamp kit > Fee",
    ]
