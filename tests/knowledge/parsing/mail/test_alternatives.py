"""Of several versions of a text the fuller is taken, and nothing that only one says is lost."""

import pytest

from knowledge.parsing.blocks import Block, Heading, Paragraph, Table
from knowledge.parsing.mail.alternatives import MOST_VERSIONS, fullest, unsaid

LETTER = "Please pay 71 euros for order NP55812 by 9 June. Ann"
PAGE: list[Block] = [
    Paragraph("Please pay 71 euros"),
    Paragraph("for order NP55812 by 9 June."),
    Paragraph("Ann"),
]
PRICES = Table((("Part", "Price"), ("BX", "71")), 1)


def _fullest(plain: str, *page: Block) -> list[Block]:
    return fullest([[Paragraph(plain)] if plain else [], page])


@pytest.mark.parametrize(
    ("plain", "page"),
    [
        (LETTER, PAGE),
        (f"{LETTER}\n\n[1] https://example.com/a?b=99", PAGE),
        (
            "您好，订单NP55812已于4月14日发\n货，请查收。",
            [Paragraph("您好，订单NP55812已于4月14日发货，请查收。")],
        ),
        ("请提前\n三天申\n请年假", [Paragraph("请提前三天申请年假")]),
        (LETTER, []),
    ],
)
def test_plain_text_is_taken_where_it_says_all(plain: str, page: list[Block]) -> None:
    assert _fullest(plain, *page) == [Paragraph(plain)]


@pytest.mark.parametrize(
    "plain",
    [
        "",
        "Please pay 71 euros ... https://example.com/order/123456",
        "Your mail program cannot show HTML. Please open this message in a browser.",
        "您的邮件客户端不支持HTML格式，请使用浏览器查看。",
        "無法顯示此郵件，請以瀏覽器開啟。",
        "View this in your browser: https://example.com/88120",
    ],
)
def test_a_page_is_taken_where_the_text_says_less(plain: str) -> None:
    assert _fullest(plain, *PAGE) == PAGE


def test_a_page_with_a_table_is_taken_where_both_say_the_same() -> None:
    assert _fullest("Part\nPrice\nBX\n71", PRICES) == [PRICES]


def test_what_only_one_says_is_kept() -> None:
    page: list[Block] = [
        Heading("Order 88120"),
        Paragraph("It ships on 14 April with Nordpost, Hall 3."),
    ]
    plain = "Order 88120\n\nQuestions? Call 5512."
    assert _fullest(plain, *page) == [*page, Paragraph("Questions? Call 5512.")]
    legal = (
        "This is confidential and may be privileged; if it is not for you tell the sender at once."
    )
    short = Paragraph("Gate 7741")
    assert _fullest(f"{legal}\n\nSee the HTML.", short) == [Paragraph(legal), short]


def test_a_notice_that_says_a_figure_is_kept() -> None:
    notice = "Open this in a browser; the gate code is 7741."
    assert _fullest(notice, *PAGE) == [*PAGE, Paragraph(notice)]


def test_a_figure_that_is_missing_counts_more_than_a_word() -> None:
    known = [
        Paragraph("The order of Monday comes on 14 April with the courier to your door, madam")
    ]
    assert (
        unsaid(
            [Paragraph("the order of monday comes on 14 april with the courier to your door sir")],
            known,
        )
        == []
    )
    more = Paragraph("the order of monday comes on 15 april with the courier to your door")
    assert unsaid([more], known) == [more]


def test_many_versions_are_all_kept() -> None:
    versions: list[list[Block]] = [[Paragraph(f"version {n}0")] for n in range(MOST_VERSIONS + 3)]
    assert len(fullest(versions)) == len(versions)
