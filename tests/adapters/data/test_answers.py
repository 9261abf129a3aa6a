"""Whether an answer stands in a text, and how a text is cut around it."""

import random

import pytest

from adapters.data.answers import find_answer, holds_answer, shorten, strip_marks


@pytest.mark.parametrize(
    ("text", "answer", "found"),
    [
        ("They met in\n New  York.", "new york", "New  York"),
        ("Lord Ganesha is departed.", "Ganesh", None),  # part of a word is not the answer
        ("In 1999 and 2000.", "19", None),
        ("年假有十五天。", "十五天", "十五天"),
        ("A (C++) compiler.", "C++", "C++"),
        ("Anything.", "  ", None),
    ],
)
def test_an_answer_is_found_as_whole_words_as_written(
    text: str, answer: str, found: str | None
) -> None:
    assert find_answer(text, [answer]) == found


def test_the_first_answer_that_stands_there_is_taken() -> None:
    assert find_answer("In March 1995.", ["2001", "March 1995", "1995"]) == "March 1995"


def test_a_part_of_a_word_is_enough_to_rule_a_passage_out() -> None:
    assert holds_answer("Lord Ganesha is departed.", ["Shiva", "ganesh"])
    assert not holds_answer("Lord Ganesha is departed.", ["Shiva", ""])


def test_marks_and_the_full_stop_are_no_part_of_an_answer() -> None:
    assert strip_marks("[2] 30 days [1].") == "30 days"


@pytest.mark.parametrize("place", range(40))
def test_the_answer_stays_wherever_it_stands(place: int) -> None:
    words = [f"w{n}" for n in range(40)]
    words[place] = "The Answer"
    for seed in range(10):
        cut = shorten(" ".join(words), ["the answer"], 8, random.Random(seed))
        assert "The Answer" in cut
        assert 8 <= len(cut.split()) <= 9


def test_where_a_cut_begins_tells_nothing_of_the_answer() -> None:
    words = [f"w{n}" for n in range(30)]
    seen = {
        shorten(" ".join(words), answers, 5, random.Random(seed)).split()[0] == "w0"
        for seed in range(60)
        for answers in (["w15"], ["none"])
    }
    assert False in seen
    begins = {
        shorten(" ".join(words), ["none"], 5, random.Random(seed)).split()[0] for seed in range(60)
    }
    assert len(begins) > 10  # not always at the start of the passage


def test_a_heading_stays_and_a_short_text_is_whole() -> None:
    text = "# Lamps\n\none two three four five six"
    assert shorten(text, ["six"], 2, random.Random(0)) == "# Lamps\n\nfive six"
    assert shorten(text, ["six"], 0, random.Random(0)) == text
    assert shorten(text, ["six"], 6, random.Random(0)) == text


def test_han_characters_count_as_words() -> None:
    assert shorten("一二三四五六七八九十", ["八"], 3, random.Random(1)).count("八") == 1
    assert len(shorten("一二三四五六七八九十", ["八"], 3, random.Random(1))) == 3
