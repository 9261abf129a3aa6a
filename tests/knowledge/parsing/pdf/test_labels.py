"""The value of a field stands after the words that ask for it."""

from knowledge import parse
from tests.fakes.placed import Page, placed_pdf


def text(page: Page) -> str:
    return parse("a.pdf", placed_pdf(page)).text


def test_a_value_follows_the_words_on_its_left() -> None:
    page = Page().put(60, 700, "Customer number:").put(60, 680, "Day").put(300, 680, "Gate:")
    page.fill(200, 700, "KD-5521").fill(130, 680, "17 November").fill(340, 680, "4 north")
    assert text(page) == "Customer number: KD-5521\nDay 17 November Gate: 4 north"


def test_a_value_follows_the_words_above_it() -> None:
    page = Page().put(60, 716, "First name", 8).put(300, 716, "Last name", 8)
    page.put(60, 680, "City", 8).put(300, 680, "Country", 8)
    page.fill(60, 700, "Anna").fill(300, 700, "Meyer").fill(60, 664, "Kiel").fill(300, 664, "Peru")
    assert text(page) == "First name: Anna Last name: Meyer\nCity: Kiel Country: Peru"


def test_a_value_takes_the_place_of_the_line_to_write_on() -> None:
    page = Page().put(60, 700, "The tenant ____________________ pays ........ euros a month.")
    page.fill(112, 700, "Anna Meyer").annotate("Widget", (262, 698, 292, 710), "/FT /Tx /V (950)")
    assert text(page) == "The tenant Anna Meyer pays 950 euros a month."


def test_han_and_its_value_have_no_space_between() -> None:
    page = Page().put(60, 700, "姓名：").put(60, 680, "部门").put(60, 660, "性别：□男　□女")
    page.fill(100, 700, "王伟").fill(100, 680, "研发部")
    page.check(90, 660, is_on=False).check(120, 660, is_on=True)
    assert text(page) == "姓名：王伟\n部门 研发部\n性别：☐男　☑女"


def test_lines_of_a_form_in_han_are_not_joined() -> None:
    page = Page().put(60, 700, "申请人姓名（必填）").put(60, 640, "是否同意条款")
    page.fill(60, 684, "张三").check(160, 640, is_on=True)
    assert text(page) == "申请人姓名（必填）：张三\n是否同意条款 ☑"


def test_a_box_stands_before_or_after_its_words_as_on_the_page() -> None:
    page = Page().put(134, 700, "Express").put(214, 700, "Standard").put(60, 680, "Insurance")
    page.check(120, 700, is_on=True).check(200, 700, is_on=False).check(120, 680, is_on=True)
    assert text(page) == "☑ Express ☐ Standard\nInsurance ☑"


def test_rows_of_fields_are_a_table() -> None:
    page = Page()
    page.rows([("Item", "Qty", "Price")], (60, 220, 400), y=716)
    for row, values in enumerate([("Bolt", "5", "1.20"), ("Nut", "7", "0.80")]):
        for x, value in zip((60, 220, 400), values, strict=True):
            page.fill(x, 698 - 18 * row, value)
    assert text(page) == "Item | Qty | Price\nBolt | 5 | 1.20\nNut | 7 | 0.80"


def test_boxes_below_yes_and_no_are_a_table() -> None:
    page = Page()
    page.rows([("Question", "Yes", "No")], (60, 200, 260), y=660)
    for row, question in enumerate(["Do you smoke?", "Do you drive?"]):
        y = 642 - 18 * row
        page.put(60, y, question).check(203, y, is_on=row > 0).check(261, y, is_on=row == 0)
    assert text(page).endswith("Do you smoke? | ☐ | ☑\nDo you drive? | ☑ | ☐")


def test_a_value_in_a_ruled_table_stays_in_its_cell() -> None:
    page = Page().put(65, 686, "Name").put(65, 666, "City")
    page.grid((700, 680, 660), (60, 200, 400))
    page.fill(210, 686, "Anna").fill(210, 666, "Kiel")
    assert text(page) == "Name | Anna\nCity | Kiel"


def test_what_a_printed_form_says_already_is_not_said_again() -> None:
    page = Page().put(60, 700, "Name:").put(120, 700, "Anna Meyer").fill(118, 700, "Anna Meyer")
    assert text(page) == "Name: Anna Meyer"


def test_a_picture_of_a_form_is_read_for_its_values() -> None:
    page = Page(has_picture=True).fill(200, 600, "Kiel", "/T (city)")
    found = parse("a.pdf", placed_pdf(page.fill(200, 700, "Anna", "/T (name)")))
    assert found.text == "name: Anna\ncity: Kiel"
    assert [one.what for one in found.left_out] == ["page"]


def test_words_typed_onto_a_page_answer_what_asks_for_them() -> None:
    page = (
        Page().put(60, 700, "Name:").annotate("FreeText", (120, 697, 200, 711), "/Contents (Bob)")
    )
    assert text(page) == "Name: Bob"
