"""Markers that resolve, markers that do not, and passages that an answer repeats."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge import Passage
from service.chat.citations import CiteMode, cite
from tests.fakes.passages import passage

RETURNS = passage("An unused lamp can be returned within 30 days of delivery.", document="returns")
REPAIRS = passage("A repair at our workshop takes ten working days.", document="repairs")
ZH_RETURNS = passage("未使用的灯具可在收货后三十天内退货。", document="zh_returns")
ZH_REPAIRS = passage("维修一般需要十个工作日。", document="zh_repairs")
GIVEN = (RETURNS, REPAIRS)
ANSWER = "You have 30 days [1]. A repair takes ten [2]. Ask us [7]."


@pytest.mark.parametrize(
    ("mode", "text"),
    [
        ("inline", "You have 30 days [1]. A repair takes ten [2]. Ask us."),
        ("list", "You have 30 days. A repair takes ten. Ask us."),
        ("none", "You have 30 days. A repair takes ten. Ask us."),
    ],
)
def test_markers_stay_only_inline_and_only_when_they_resolve(mode: CiteMode, text: str) -> None:
    cited = cite(ANSWER, GIVEN, mode)
    assert cited.text == text
    assert cited.markers_removed == 1


@pytest.mark.parametrize(("mode", "markers"), [("inline", [1, 2]), ("list", [1, 2]), ("none", [])])
def test_each_mode_lists_what_it_promises(mode: CiteMode, markers: list[int]) -> None:
    assert [citation.marker for citation in cite(ANSWER, GIVEN, mode).citations] == markers


def test_a_marker_cites_the_passage_of_its_number() -> None:
    cited = cite("It takes ten days [2].", GIVEN, "inline")
    assert [(c.passage, c.by) for c in cited.citations] == [(REPAIRS, "marker")]


def test_a_marker_used_twice_is_one_citation() -> None:
    assert len(cite("Thirty days [1], unused [1].", GIVEN, "inline").citations) == 1


@pytest.mark.parametrize("false_marker", ["[0]", "[3]", "[999]"])
def test_a_marker_without_its_passage_is_removed_and_counted(false_marker: str) -> None:
    cited = cite(f"Nobody knows {false_marker}.", GIVEN, "inline")
    assert (cited.text, cited.markers_removed) == ("Nobody knows.", 1)
    assert cited.citations == ()


def test_without_passages_brackets_are_text() -> None:
    cited = cite("x[0] = 7, see [1][2].", (), "list")
    assert (cited.text, cited.markers_removed, cited.citations) == ("x[0] = 7, see [1][2].", 0, ())


def test_an_answer_without_markers_is_attributed_to_the_passage_it_repeats() -> None:
    cited = cite("A lamp can be returned within 30 days.", GIVEN, "inline")
    assert [(c.marker, c.passage, c.by) for c in cited.citations] == [(1, RETURNS, "attribution")]
    assert cited.text == "A lamp can be returned within 30 days."


def test_each_sentence_is_attributed_on_its_own() -> None:
    said = "A lamp can be returned within 30 days. A repair takes ten working days."
    assert [c.marker for c in cite(said, GIVEN, "list").citations] == [1, 2]


def test_markers_that_resolve_leave_no_room_for_attribution() -> None:
    cited = cite("A repair takes ten working days [1].", GIVEN, "inline")
    assert [(c.passage, c.by) for c in cited.citations] == [(RETURNS, "marker")]


def test_after_a_false_marker_the_sentence_is_attributed() -> None:
    cited = cite("A repair takes ten working days [9].", GIVEN, "inline")
    assert [(c.passage, c.by) for c in cited.citations] == [(REPAIRS, "attribution")]


def test_a_json_answer_is_attributed_by_the_texts_inside_it() -> None:
    said = {"answer": {"steps": ["A lamp can be returned within 30 days"]}, "sure": True, "n": 30}
    cited = cite(json.dumps(said), GIVEN, "inline")
    assert [c.passage for c in cited.citations] == [RETURNS]


def test_keys_of_a_json_answer_are_not_its_words() -> None:
    said = {"unused lamp returned within 30 days of delivery": "perhaps tomorrow"}
    assert cite(json.dumps(said), GIVEN, "inline").citations == ()


@pytest.mark.parametrize("given_", [(ZH_RETURNS, ZH_REPAIRS), (ZH_REPAIRS, ZH_RETURNS)])
def test_chinese_is_attributed_by_pairs_of_characters(given_: tuple[Passage, ...]) -> None:
    cited = cite("灯具在收货后三十天内可退货。", given_, "inline")
    assert [c.passage for c in cited.citations] == [ZH_RETURNS]


def test_full_width_letters_are_the_same_words() -> None:
    cited = cite("Ａ repair takes ＴＥＮ working days", GIVEN, "inline")
    assert [c.passage for c in cited.citations] == [REPAIRS]


@pytest.mark.parametrize(
    "answer",
    [
        "Penguins live in the southern hemisphere.",
        "企鹅生活在南半球。",
        "This is what you can do with it.",  # stop words only
        "Lamp.",  # one shared word is no evidence
        "",
        "{}",
    ],
)
def test_an_answer_about_something_else_cites_nothing(answer: str) -> None:
    cited = cite(answer, (*GIVEN, ZH_RETURNS), "inline")
    assert (cited.citations, cited.text) == ((), answer)


def test_a_sentence_below_the_floor_is_not_attributed() -> None:
    # Shares `lamp` and `days` with the passage, out of eight words.
    said = "Every lamp glows brightly blue during seven winter days."
    assert cite(said, GIVEN, "inline").citations == ()


@pytest.mark.parametrize("answer", ['{"counts": [30], "ids": [1]}', '{"rows": [[2], [7]]}'])
@pytest.mark.parametrize("mode", ["inline", "list", "none"])
def test_numbers_in_a_json_answer_are_not_markers(answer: str, mode: CiteMode) -> None:
    cited = cite(answer, GIVEN, mode)
    assert (cited.text, cited.markers_removed) == (answer, 0)


def test_markers_in_the_texts_of_a_json_answer_are_markers() -> None:
    cited = cite('{"answer": "Thirty days [1] [9]", "ids": [9]}', GIVEN, "inline")
    assert json.loads(cited.text) == {"answer": "Thirty days [1]", "ids": [9]}
    assert cited.markers_removed == 1
    assert [c.passage for c in cited.citations] == [RETURNS]


@pytest.mark.parametrize(
    "answer", ["Use `rows[0]` for the first.", "```python\nfirst = rows[0]\nlast = rows[9]\n```"]
)
def test_numbers_in_code_are_not_markers(answer: str) -> None:
    assert cite(answer, (), "inline").text == answer


@given(answer=st.text(alphabet='[]0123 a。{}":`\n', max_size=60), n=st.integers(0, 3))
def test_every_citation_resolves_and_false_markers_go_whatever_is_said(answer: str, n: int) -> None:
    given_ = tuple(passage(f"text {i}", document=f"d{i}") for i in range(n))
    cited = cite(answer, given_, "inline")
    assert all(c.passage is given_[c.marker - 1] for c in cited.citations)
    assert [c.marker for c in cited.citations] == sorted({c.marker for c in cited.citations})
