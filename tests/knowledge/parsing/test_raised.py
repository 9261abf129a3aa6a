"""Raised and lowered words keep their meaning in one line, and no digit joins another."""

import re

import pytest

from knowledge.parsing.blocks import render
from knowledge.parsing.raised import is_unsettled, lowered, raised, settle, settle_notes, struck
from knowledge.parsing.writer import BlockWriter

ENCLOSE = {"^": raised, "_": lowered, "~": struck}


def enclosed(text: str) -> str:
    """Return a text in which `^{6}` is raised, `_{2}` lowered and `~{x}` struck."""
    return re.sub(r"([_^~])\{(.*?)\}", lambda found: ENCLOSE[found[1]](found[2]), text)


def written(text: str, *notes: str) -> str:
    found = set(notes)
    settled = settle(enclosed(text), found)
    return settle_notes(settled, found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The tank holds 10^{6} litres", "The tank holds 10^6 litres"),
        ("10^{ 6 } litres", "10^6  litres"),
        ("2 × 10^{-3} m", "2 × 10^-3 m"),
        ("5·10^{−3}", "5·10^-3"),
        ("2^{10} = 1024", "2^10 = 1024"),
        ("10^{n+1}", "10^(n+1)"),
        ("25 m^{2}.", "25 m²."),
        ("kg m^{-3}", "kg m⁻³"),
        ("m^{2}3", "m² 3"),
        ("10^{6}5", "10^6 5"),
        ("CO_{2}", "CO2"),
        ("C_{6}H_{12}O_{6}", "C6H12O6"),
        ("x_{1}2", "x1 2"),
        ("1011_{2}", "1011_2"),
        ("Ca^{2+}", "Ca²⁺"),
        ("$19^{99}", "$19.99"),
        ("19^{99} €", "19.99 €"),
        ("19,^{99} €", "19,99 €"),
        ("€ 1.234^{50}", "€ 1.234.50"),
        ("¥5^{00}", "¥5.00"),
        ("1^{st} and 2^{nd}", "1st and 2nd"),
        ("1^{1}/_{2} cups", "1 1/2 cups"),
        ("3^{3/4} in", "3 3/4 in"),
        ("^{1}/_{2} cup", "1/2 cup"),
        ("25^{o} C", "25° C"),
        ("^{14}C dating", "¹⁴C dating"),
        ("e^{x}", "e^x"),
        ("(a+b)^{2}", "(a+b)²"),
        ("~{99 }~{euros} 79", "~~99 euros~~ 79"),
        ("was ~{ 99 }now", "was  ~~99~~ now"),
        ("^{}", ""),
    ],
)
def test_what_is_raised_lowered_or_struck_is_written_in_one_line(text: str, expected: str) -> None:
    assert written(text) == expected


@pytest.mark.parametrize(
    ("text", "without", "with_note"),
    [
        ("The fee is 25^{1} euros", "The fee is 25 (note 1) euros", None),
        ("25^{2} euros", "25 (note 2) euros", None),
        ("价格25^{3}元", "价格25 (note 3)元", None),
        ("$25.50^{12}", "$25.50 (note 12)", None),
        ("25^{a} units", "25 (note a) units", None),
        ("40^{2} pieces", "40^2 pieces", "40 (note 2) pieces"),
        ("10^{1} days", "10^1 days", "10 (note 1) days"),
        ("students^{3} pay", "students³ pay", "students (note 3) pay"),
        ("10^{2} pieces", "10^2 pieces", "10^2 pieces"),
        ("5^{2} + 1", "5^2 + 1", "5^2 + 1"),
        ("25^{1)} euros", "25 (note 1) euros", None),
        ("40^{1, 2} pieces", "40 (note 1, 2) pieces", None),
        ("1,200^{2,3} pieces", "1,200 (note 2,3) pieces", None),
        ("rows^{1,2}", "rows¹,²", "rows (note 1,2)"),
    ],
)
def test_a_figure_is_the_mark_of_a_note_where_there_is_such_a_note(
    text: str, without: str, with_note: str | None
) -> None:
    assert written(text) == without
    assert written(text, "1", "2", "3") == with_note or with_note is None


def test_a_paragraph_that_begins_with_a_raised_figure_is_a_note() -> None:
    writer = BlockWriter(1_000)
    writer.text("Room 40")
    writer.raised("2")
    writer.end_paragraph()
    writer.begin_table()
    writer.begin_row()
    for word in ("Lamp", "30"):
        writer.begin_cell()
        writer.text(word)
        writer.raised("2")
        writer.end_cell()
    writer.end_row()
    writer.end_table()
    writer.raised("2")
    writer.text(" Closed in May.")
    assert render(writer.blocks).text == (
        "Room 40 (note 2)\n\nLamp (note 2) | 30 (note 2)\n\n(note 2) Closed in May."
    )


def test_nothing_of_the_enclosing_stays() -> None:
    for text in ("a^{b}", "7^{8}", "~{7}^{8}", "^{1}_{2}^{3}", "x^{~{2}}"):
        left = written(text)
        assert not is_unsettled(left)
        assert not re.search("[\ufdd0-\ufdef]", left), (text, left)
