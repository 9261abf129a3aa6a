"""Streamed text is the beginning of the whole answer, whatever the pieces."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from service.chat.citations import CiteMode, cite
from service.chat.shown_text import ShownText
from tests.fakes.passages import passage

GIVEN = (
    passage("An unused lamp can be returned within 30 days of delivery.", document="returns"),
    passage("A repair at our workshop takes ten working days.", document="repairs"),
)
TEXTS = st.text(alphabet='[]0123`` \n"{}\\a:,。', max_size=60)


def shown(pieces: list[str], mode: CiteMode, *, must_cite: bool = False) -> list[str]:
    stream = ShownText(GIVEN, mode, must_cite=must_cite)
    return [*(stream.add(piece) for piece in pieces), stream.rest()]


@given(st.lists(TEXTS, max_size=12), st.sampled_from(["inline", "list", "none"]), st.booleans())
@example(["x ", "[", "1", "]", " y [", "7", "] z"], "inline", False)
@example(["use `a", "[1]", "` and [1", "]"], "list", False)
@example(["``", "`\nx [1]\n``", "` [2] ", "`[1]\n"], "list", False)
@example(['{"a": [1], "b": "yes [', '1]"}'], "list", False)
def test_the_pieces_shown_are_the_whole_answer_cleaned(
    pieces: list[str], mode: CiteMode, must_cite: bool
) -> None:
    whole = "".join(pieces)
    assert "".join(shown(pieces, mode, must_cite=must_cite)) == cite(whole, GIVEN, mode).text


def test_what_cannot_change_is_shown_at_once() -> None:
    assert shown(["You have 30 ", "days", " [", "1] to", " decide."], "inline") == [
        "You have 30",
        " days",
        "",
        " [1] to",
        " decide.",
        "",
    ]


def test_a_space_before_a_marker_that_goes_is_not_shown() -> None:
    assert shown(["days", " ", "[", "9]", ", then"], "inline") == ["days", "", "", "", ", then", ""]


def test_code_is_held_back_until_it_is_known_to_be_code() -> None:
    assert shown(["set `x", "[1]", "` so"], "list") == ["set ", "", "`x[1]` so", ""]
    assert shown(["a `b", "[1]\n", "c"], "list") == ["a ", "`b", "\nc", ""]


def test_an_answer_without_passages_is_shown_as_it_comes() -> None:
    stream = ShownText((), "list", must_cite=True)
    assert [stream.add(piece) for piece in ("x[", "0] = 7 ")] == ["x[", "0] = 7 "]
    assert stream.rest() == ""


def test_nothing_is_shown_before_a_source_is_named_where_one_is_required() -> None:
    pieces = ["I think", " so. You have", " 30 days [1", "]. Fine", "."]
    assert shown(pieces, "inline", must_cite=True) == [
        "",
        "",
        "",
        "I think so. You have 30 days [1]. Fine",
        ".",
        "",
    ]


def test_a_sentence_that_repeats_a_passage_opens_the_stream_once_it_is_whole() -> None:
    pieces = ["A repair at our workshop", " takes ten working days", ". And more", " to say."]
    assert shown(pieces, "inline", must_cite=True) == [
        "",
        "",
        "A repair at our workshop takes ten working days. And more",
        " to say.",
        "",
    ]


@pytest.mark.parametrize(
    "pieces",
    [
        ["Bananas are", " yellow. [7] Yes."],
        ['{"a": "A repair at our workshop takes', ' ten"}'],
        ['{"a repair at our workshop takes ten working days": "no. ', 'Never. "}'],
    ],
)
def test_an_answer_without_a_source_shows_nothing_while_it_is_written(pieces: list[str]) -> None:
    assert shown(pieces, "inline", must_cite=True)[:-1] == ["", ""]
