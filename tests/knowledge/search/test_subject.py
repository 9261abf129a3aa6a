"""What a follow-up late in a conversation is about."""

import pytest

from knowledge import Knowledge, NewDocument, Turn
from knowledge.search.subject import MOST_CHARS
from tests.knowledge.conftest import BASE, TENANT

TALK = [
    Turn("user", "How far is it?"),
    Turn("assistant", "Not far."),
    Turn("user", "Good to know."),
]
GRAND = Turn("user", "I took the grand  hotel.")
ROYAL = Turn("assistant", "The Royal Inn has rooms too.")


@pytest.fixture
def hotels(knowledge: Knowledge) -> Knowledge:
    pages = {
        "grand": "# Grand Hotel\n\n## Meals\n\nBreakfast begins at seven.",
        "royal": "# Royal Inn\n\n## Meals\n\nBreakfast begins at eight.",
        "big": "# Big Grand Hotel\n\nBreakfast begins at ten.",
        "inn": "# Inn\n\nBreakfast begins at nine.",
        "lamp": "# 青花瓷台灯\n\n保修期三年。",
        "pot": "# 鹅颈壶\n\n保修期两年。",
    }
    knowledge.ingest_many(
        BASE,
        [NewDocument(name, f"{name}.md", text.encode()) for name, text in pages.items()],
        tenant=TENANT,
    )
    return knowledge


def add(hotels: Knowledge, title: str) -> None:
    page = NewDocument("page", "page.md", f"# {title}\n\nGoods come back.".encode())
    hotels.ingest_many(BASE, [page], tenant=TENANT)


def searched(hotels: Knowledge, question: str, *history: Turn) -> str:
    """Return the text that a question is searched as."""
    found = hotels.retrieve(question, base_ids=[BASE], history=history, tenant=TENANT)
    return found.query


@pytest.mark.parametrize(
    ("earlier", "subject"),
    [
        ([GRAND], "Grand Hotel "),
        ([GRAND, ROYAL], "Royal Inn "),
        ([Turn("user", "I took the Big Grand Hotel.")], "Big Grand Hotel "),
        ([Turn("user", "The Royal Inn or the Grand Hotel?")], "Grand Hotel "),
        ([Turn("user", "The grandhotel is full, and so are all inns.")], ""),
        ([Turn("user", "An inn will do.")], ""),
        ([Turn("system", "You book the Grand Hotel.")], ""),
    ],
)
def test_the_document_named_last_goes_in_front_of_the_last_turns(
    earlier: list[Turn], subject: str, hotels: Knowledge
) -> None:
    asked = searched(hotels, "When does this begin?", *earlier, *TALK)
    assert asked == f"{subject}How far is it? Not far. Good to know. When does this begin?"


def test_what_the_question_or_the_last_turns_name_stays_the_subject(hotels: Knowledge) -> None:
    said = searched(hotels, "When does this begin?", GRAND, TALK[0], ROYAL, TALK[2])
    assert "Grand" not in said
    said = searched(hotels, "When does this begin in the Royal Inn?", GRAND, *TALK)
    assert "Grand" not in said
    assert "rand" not in searched(hotels, "When does this begin?", *TALK)


def test_a_chinese_title_is_found_in_both_scripts(hotels: Knowledge) -> None:
    talk = [Turn("user", "好的。"), Turn("assistant", "还有问题吗？"), Turn("user", "有的。")]
    asked = Turn("user", "我買了青花瓷檯燈。")
    for written in (asked, Turn("user", "我買了青花瓷台燈。"), Turn("user", "我买了青花瓷台灯。")):
        assert "青花瓷台灯" in searched(hotels, "这个保修几年？", written, *talk)


def test_a_title_that_the_last_turns_no_longer_hold_was_named_before_them(
    hotels: Knowledge,
) -> None:
    answer = Turn("assistant", "客房宽敞，早餐丰富。" * 30)  # of which the end is read
    said = searched(hotels, "这家几点开始？", Turn("user", "请介绍 Grand Hotel。"), answer)
    assert said.startswith("Grand Hotel ")


@pytest.mark.parametrize("written", ["the joe\u2019s  diner", "ＪＯＥ'S ＤＩＮＥＲ", "JOE'S DINER"])
def test_titles_are_compared_in_one_spelling(written: str, hotels: Knowledge) -> None:
    hotels.ingest_many(
        BASE, [NewDocument("joe", "joe.md", b"# Joe's Diner\n\nOpen all day.")], tenant=TENANT
    )
    said = searched(hotels, "When does this begin?", Turn("user", f"I like {written}."), *TALK)
    assert said.startswith("Joe's Diner ")


@pytest.mark.parametrize("title", ["Returns", "退货", "A very long title " * 5])
def test_words_of_any_talk_and_long_titles_are_no_subject(title: str, hotels: Knowledge) -> None:
    add(hotels, title)
    talk = (Turn("user", f"I read {title} today."), *TALK)
    assert searched(hotels, "When does this begin?", *talk).startswith("How far is it?")
    assert searched(hotels, "When does this begin?", GRAND, *talk).startswith("Grand Hotel ")


@pytest.mark.parametrize("title", ['* " ) NEAR', "NOT hotel:", "a+b (c) [d"])
def test_signs_in_a_title_are_letters_like_others(title: str, hotels: Knowledge) -> None:
    add(hotels, title)
    talk = (Turn("user", f"I read {title} today."), *TALK)
    assert searched(hotels, "When does this begin?", *talk).startswith(f"{title} ")


def test_a_title_that_the_reader_may_not_see_is_neither_told_nor_a_subject(
    hotels: Knowledge,
) -> None:
    secret = NewDocument("f", "f.md", b"# Project Falcon\n\nIt flies.", access=frozenset({"board"}))
    hotels.ingest_many(BASE, [secret], tenant=TENANT)
    talk = (GRAND, Turn("user", "Tell me of project  falcon."), *TALK)

    def asked(access: frozenset[str]) -> str:
        found = hotels.retrieve(
            "When does this begin?", base_ids=[BASE], history=talk, access=access, tenant=TENANT
        )
        return found.query

    assert asked(frozenset()).startswith("Grand Hotel ")
    assert asked(frozenset({"board"})).startswith("Project Falcon ")


def test_of_many_titles_those_with_most_of_the_words_are_read(
    knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("knowledge.search.subject.CHUNKS_READ", 1)
    bodies = [
        f"# Rules {n}\n\n" + "Good to know: I took the grand view hotel, far off. " * 9
        for n in range(3)
    ]
    headings = [f"# Hotel rules {n}\n\n" + "Be quiet at night. " * 20 for n in range(3)]
    pages = [*bodies, *headings, "# Grand View Hotel\n\nBreakfast begins at seven."]
    knowledge.ingest_many(
        BASE,
        [NewDocument(f"p{n}", f"p{n}.md", text.encode()) for n, text in enumerate(pages)],
        tenant=TENANT,
    )
    said = Turn("user", "I took the grand view hotel.")
    assert searched(knowledge, "When does this begin?", said, *TALK).startswith("Grand View Hotel ")


def test_what_was_said_very_long_before_is_not_read(hotels: Knowledge) -> None:
    filler = Turn("assistant", "So it is. " * (MOST_CHARS // 10))
    assert "Grand" not in searched(hotels, "When does this begin?", GRAND, filler, *TALK)
