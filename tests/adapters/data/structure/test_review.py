from dataclasses import replace

import pytest

from adapters.data.rows import Message
from adapters.data.structure.review import accept_row, choose_sample, row_as_dict, row_of
from adapters.errors import InvalidTrainingData
from tests.adapters.data.structure.conftest import qa


def test_a_sample_is_rounded_up_in_order_and_the_same_again() -> None:
    rows = [qa(f"q{n}", "a", n) for n in range(101)]
    sample = choose_sample(rows, 0.1, seed=3)
    assert len(sample) == 11
    assert [row.line for row in sample] == sorted(row.line for row in sample)
    assert sample == choose_sample(rows, 0.1, seed=3) != choose_sample(rows, 0.1, seed=4)
    assert len(choose_sample(rows[:100], 0.07, seed=0)) == 7  # 0.07 * 100 is above 7 in floats
    assert choose_sample(rows, 1, seed=0) == rows


def test_a_row_is_read_back_as_it_was_written() -> None:
    row = qa("退货？", "可以", 7, source="faq", rejected="不行", date="2026-01-01")
    assert row_of(row_as_dict(row)) == row


def test_an_answer_that_is_not_learned_stays_so() -> None:
    row = qa("退货？", "可以", 7)
    asked, told = row.messages
    passed_over = Message("assistant", "不行", learned=False)
    row = replace(row, messages=(asked, passed_over, asked, told))
    assert row_of(row_as_dict(row)) == row


def test_turns_that_cannot_be_trained_on_are_refused() -> None:
    content = row_as_dict(qa("退货？", "可以", 7))
    with pytest.raises(InvalidTrainingData, match=r"chats\.jsonl"):
        row_of({**content, "messages": [{"role": "assistant", "content": "可以"}]})


@pytest.mark.parametrize(
    ("made_by", "synthetic"), [("annotate", False), ("dialogues", False), ("self_instruct", True)]
)
def test_what_a_person_accepts_is_reviewed_and_stays_synthetic_if_made_up(
    made_by: str, synthetic: bool
) -> None:
    row = accept_row(qa("q", "a", made_by=made_by, synthetic=True, reviewed=False))
    assert (row.meta["reviewed"], row.meta["synthetic"]) == (True, synthetic)


def test_a_row_of_people_gets_no_mark_of_synthetic() -> None:
    assert accept_row(qa("q", "a")).meta == {"reviewed": True}
