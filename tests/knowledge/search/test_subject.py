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


def searched(hotels: Knowledge, question: str, *history: Turn) -> str:
    """Return the text that a question is searched as."""
    found = hotels.retrieve(question, base_ids=[BASE], history=history, tenant=TENANT)
    return found.query


@pytest.mark.parametrize(
    ("earlier", "subject"),
    [
        ([GRAND], "Grand Hotel "),
        ([GRAND, ROYAL], "Royal Inn "),
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


def test_what_was_said_very_long_before_is_not_read(hotels: Knowledge) -> None:
    filler = Turn("assistant", "So it is. " * (MOST_CHARS // 10))
    assert "Grand" not in searched(hotels, "When does this begin?", GRAND, filler, *TALK)
