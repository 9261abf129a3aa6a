"""Pages that are turned, upside down or askew are read as upright ones are."""

import pytest

from knowledge import parse
from tests.fakes.placed import Page, placed_pdf

PROSE = (
    "The pump in hall two is checked each month by the shift lead, who",
    "writes down its pressure and its noise and the day in the list.",
)
ROWS = (("Motor", "Load", "Noise"), ("VT-01", "350", "71"), ("VT-02", "420", "95"))
READ = "\n".join(PROSE) + "\n\nMotor | Load | Noise\nVT-01 | 350 | 71\nVT-02 | 420 | 95"


def page() -> Page:
    found = Page()
    found.rows(ROWS, (110, 230, 310), y=found.text(*PROSE, x=110, y=560) - 60)
    return found


@pytest.mark.parametrize(
    ("degrees", "rotate"),
    [
        (90, 90),
        (180, 180),
        (270, 270),
        (90, 0),
        (180, 0),
        (270, 0),
        (0, 90),
        (1, 0),
        (2, 0),
        (-3, 0),
    ],
)
def test_a_turned_page_is_read_as_an_upright_one(degrees: float, rotate: int) -> None:
    turned = page()
    turned.degrees, turned.rotate = degrees, rotate
    assert parse("a.pdf", placed_pdf(turned)).text == READ


def test_few_words_that_run_upwards_turn_no_page() -> None:
    upright = placed_pdf(page())
    shown = upright.replace(b"BT /F1 10.0 Tf 110 560 Td", b"BT /F1 10.0 Tf 0 1 -1 0 9 560 Tm", 1)
    assert parse("a.pdf", shown).text.endswith(READ.partition("\n\n")[2])


def test_lines_around_cells_are_turned_with_them() -> None:
    turned = Page(degrees=90)
    turned.grid((700, 680, 660), (160, 300, 450))
    turned.put(165, 686, "Name").put(305, 686, "Anna").put(165, 666, "City").put(305, 666, "Kiel")
    assert parse("a.pdf", placed_pdf(turned)).text == "Name | Anna\nCity | Kiel"


def test_values_and_notes_of_a_turned_page_are_read_where_they_stand() -> None:
    turned = Page(degrees=90, rotate=90).put(160, 500, "Name:").put(160, 480, "Price")
    for y, value in ((500, "Anna"), (480, "25 euros")):
        box = (702 - y - 11, 310, 702 - y + 3, 430)
        turned.annotate("Widget", box, f"/FT /Tx /T ({value}) /V ({value})")
    assert parse("a.pdf", placed_pdf(turned)).text == "Name: Anna\nPrice 25 euros"
