import math

import pytest
from sqlalchemy import Engine

from knowledge.sql import full_text
from knowledge.sql.full_text import LexicalRow
from knowledge.sql.terms import LEAST_TOTAL, WeightedTerms, weigh
from knowledge.sql.tokens import query_terms

ROWS = [
    "The deposit of a lamp is 40 percent.",
    "Lamps can be returned within thirty days.",
    "E149: the printer does not answer. E156: the belt does not answer.",
    "Elena Moser 1473\nPavel Fischer 1226",
    "员工年假有十五天，张伟的分机是8012。",
    "2.1 adds import",
    "2.10 adds export",
]


@pytest.fixture
def filled(engine: Engine) -> Engine:
    with engine.execution_options(write=True).begin() as connection:
        full_text.add(connection, [LexicalRow(n, 7, "", "", row) for n, row in enumerate(ROWS, 1)])
        full_text.add(connection, [LexicalRow(90, 8, "", "", "Other people sell a zebra")])
    return engine


def weighed(engine: Engine, question: str, story: str = "", *, said: str = "") -> WeightedTerms:
    with engine.connect() as connection:
        return weigh(connection, query_terms(question, said, story), base_pks=[7], total=len(ROWS))


def answered(engine: Engine, question: str, story: str = "") -> list[int]:
    found = weighed(engine, question, story)
    return [pk for pk in range(1, len(ROWS) + 1) if found.is_answered_by(pk)]


def test_coverage_is_the_share_of_the_question_that_a_chunk_holds(filled: Engine) -> None:
    found = weighed(filled, "lamps returned, zebra")
    assert found.coverage(4) == 0.0
    assert 0.0 < found.coverage(1) < found.coverage(2) < 0.67, "another base holds the zebra"


def test_chunks_hold_between_them_what_none_holds_alone(filled: Engine) -> None:
    found = weighed(filled, "lamps 年假")
    assert found.joint_coverage([1, 5]) == 1.0
    assert 0.0 < found.joint_coverage([1]) == found.coverage(1) < 1.0
    assert found.joint_coverage([6]) == 0.0


def test_a_word_that_fewer_chunks_hold_tells_more(filled: Engine) -> None:
    found = weighed(filled, "lamps, printer, zebra")
    holders = (2, 1, 0)
    idf = [math.log(1 + (LEAST_TOTAL - n + 0.5) / (n + 0.5)) for n in holders]
    assert [each.weight for each in found.found] == pytest.approx(idf)


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("What does error E149 mean?", [3]),
        ("E149是什么意思？", [3]),
        ("What is the extension of Elena Moser?", [4]),
        ("What is the extension of Pavel Moser?", []),
        ("Who has extension 1473?", [4]),
        ("Who ruled the kingdom of France in 1473?", []),
        ("What does 2.1 add?", [6]),
        ("What does 2.10 add?", [7]),
        ("returned lamps", [2]),
        ("Which planet has a deposit of lamps?", [1]),
        ("deposit of unicorns", []),
        ("What does error E150 mean?", []),
        ("What is it used for?", []),
        ("Who is it?", []),
    ],
)
def test_a_rare_code_or_all_the_words_answer_and_less_does_not(
    filled: Engine, question: str, expected: list[int]
) -> None:
    assert answered(filled, question) == expected


@pytest.mark.parametrize(
    ("question", "alike", "other"),
    [
        ("Where did Elena Moser sail in winter?", True, False),
        ("What is the extension of Elena Moser?", True, True),
        ("What does error E149 mean?", True, True),
    ],
)
def test_a_name_quoted_in_another_language_needs_more_words_beside_it(
    filled: Engine, question: str, alike: bool, other: bool
) -> None:
    found, pk = weighed(filled, question), 3 if "E149" in question else 4
    assert found.is_answered_by(pk) is alike
    assert found.is_answered_by(pk, in_its_language=False) is other


def test_a_common_word_alone_answers_nothing(filled: Engine) -> None:
    with filled.execution_options(write=True).begin() as connection:
        often = [LexicalRow(n, 7, "", "", f"the lamp {n}") for n in range(100, 400)]
        full_text.add(connection, often)
    with filled.connect() as connection:
        terms = weigh(connection, query_terms("the lamp?"), base_pks=[7], total=307)
    assert terms.coverage(1) == 1.0
    assert not terms.is_answered_by(1)


@pytest.mark.parametrize("typed", ["retrned", "returnned", "retunred", "retyrned"])
def test_a_misspelt_word_counts_as_what_was_meant(filled: Engine, typed: str) -> None:
    found = weighed(filled, f"Lamps {typed}?")
    assert found.coverage(2) == 1.0
    assert "return" in found.as_meant(f"Lamps {typed}?")


def test_a_question_of_unknown_words_is_not_misspelt(filled: Engine) -> None:
    asked = "Lamqs retrned thirtz dayss"
    assert weighed(filled, asked).coverage(2) == 0.0
    assert weighed(filled, asked).as_meant(asked) == asked


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("Where do I return order 40021?", "Where do I return order ?"),
        ("Where do I return order CL-40021 (CL-40022)?", "Where do I return order ?"),
        ("Who has E149 and E150?", "Who has E149 and E150?"),
        ("Who has 1473 and 55?", "Who has 1473 and 55?"),
        ("Who has AX-1473?", "Who has AX-1473?"),
    ],
)
def test_numbers_that_the_base_does_not_know_are_the_users_own(
    filled: Engine, asked: str, meant: str
) -> None:
    assert weighed(filled, asked).as_meant(asked) == meant


def test_an_order_number_does_not_count_against_a_passage(filled: Engine) -> None:
    plain, own = (weighed(filled, f"return a lamp{end}") for end in ("", ", order 40021"))
    assert plain.coverage(2) == own.coverage(2) == 1.0
    assert weighed(filled, "return a lamp, error E150").coverage(2) < 1.0, "a code made as E149 is"


def test_the_story_helps_and_is_not_missed(filled: Engine) -> None:
    alone, told = (
        weighed(filled, "deposit returned?", story) for story in ("", "I bought a lamp in Rome.")
    )
    assert alone.coverage(1) < told.coverage(1) < 1.0
    assert weighed(filled, "How big is it?", "The deposit of a lamp,").coverage(1) == 1.0
    assert weighed(filled, "deposit", said="I bought a lamp in Rome.").coverage(1) < 1.0


def test_an_address_is_not_held_by_its_numbers_apart(filled: Engine) -> None:
    with filled.execution_options(write=True).begin() as connection:
        row = LexicalRow(8, 7, "", "", "Open from 10:00 to 18:00, Saturday from 9:00")
        full_text.add(connection, [row])
    assert not weighed(filled, "Which host is 10.9.9.9?").is_answered_by(8)
    assert not weighed(filled, "10.18.0.9").is_answered_by(8)


def test_a_long_number_names_a_chunk_beside_enough_words(filled: Engine) -> None:
    everything = range(1, len(ROWS) + 1)
    assert weighed(filled, "Who has 1473, Elena Moser?").named(everything) == {4}
    assert weighed(filled, "Fischer: 1226; E149?").named(everything) == {3, 4}
    assert not weighed(filled, "Which comet passed the desert of Mongolia in 1473?").named([4])
    assert not weighed(filled, "a deposit of 40 percent").named([1]), "an amount"
    assert not weighed(filled, "the deposit", said="Elena Moser 1473").named([4])


def test_a_word_is_found_by_a_form_that_is_folded_to_another_stem(engine: Engine) -> None:
    with engine.execution_options(write=True).begin() as connection:
        full_text.add(connection, [LexicalRow(1, 7, "", "", "3.2: added the export to CSV")])
    ask = "In which version did you add the export to CSV?"
    found = weighed(engine, ask)
    assert found.coverage(1) == 1.0
    assert found.as_meant(ask) == ask, "another form is no slip"
