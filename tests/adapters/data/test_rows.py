from pathlib import Path

import pytest

from adapters import count_context
from adapters.data import Message, Row, hash_rows, hold_out, to_examples


def make_row(prompt: str = "Q", answer: str = "A", turns: int = 1, **meta: object) -> Row:
    pair = (Message("user", prompt), Message("assistant", answer))
    return Row(pair * turns, meta, Path("rows.jsonl"), 1)


def test_every_answer_is_an_example_unless_history_is_masked() -> None:
    row = make_row(turns=3)
    assert [len(e.prompt) for e in to_examples([row], mask_history=False)] == [1, 3, 5]
    assert [len(e.prompt) for e in to_examples([row], mask_history=True)] == [5]


def test_an_answer_that_is_not_learned_is_no_example() -> None:
    learned, passed_over = Message("assistant", "A"), Message("assistant", "A", learned=False)
    asked = Message("user", "Q")
    row = Row((asked, passed_over, asked, learned, asked, passed_over), {}, Path("rows.jsonl"), 1)
    (example,) = to_examples([row], mask_history=False)
    assert (len(example.prompt), example.completion) == (3, learned)
    assert to_examples([row], mask_history=True) == []


def test_the_data_hash_sees_what_is_not_learned() -> None:
    row, other = make_row(), make_row()
    answer = Message("assistant", "A", learned=False)
    assert hash_rows([row]) != hash_rows([Row((row.messages[0], answer), {}, other.file, 1)])


def test_rows_of_one_source_are_never_split() -> None:
    rows = [make_row(f"q{i}", source=f"s{i % 5}") for i in range(50)]
    kept, held = hold_out(rows, 0.2, seed=1)
    assert len(kept) + len(held) == 50
    assert len(held) == 10
    assert not {row.meta["source"] for row in kept} & {row.meta["source"] for row in held}
    assert hold_out(rows, 0.2, seed=1) == (kept, held)


def test_rows_of_a_large_collection_stand_alone() -> None:
    rows = [make_row(f"q{i}", source=("a", "b")[i % 2]) for i in range(40)]
    rows += [make_row(f"q{i}", source="document") for i in range(40, 45)]
    kept, held = hold_out(rows, 12, seed=1)
    assert len(held) in range(12, 17)
    assert {row.meta["source"] for row in kept} >= {"a", "b"}
    assert sum(row.meta["source"] == "document" for row in held) in (0, 5)


def test_holding_out_everything_still_leaves_rows_to_train_on() -> None:
    rows = [make_row(f"q{i}", source=source) for i, source in enumerate("aabbcc")]
    kept, held = hold_out(rows, 6, seed=1)
    assert (len(kept), len(held)) == (2, 4)


def test_the_data_hash_sees_text_and_order_but_no_metadata() -> None:
    a, b = make_row("a"), make_row("b")
    assert hash_rows([a, b]) != hash_rows([b, a])
    assert hash_rows([a]) == hash_rows([make_row("a", source="x")])


PASSAGES = "[1] Returns take 30 days.\n[2] We open at nine.\n\nHow long?"


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (make_row("How long?"), (0, 0, 0)),
        (make_row("[1] Returns take 30 days.\n\nHow long?"), (1, 0, 0)),
        (make_row(PASSAGES), (1, 1, 0)),
        (make_row(PASSAGES, kind="refusal"), (1, 1, 1)),
        (make_row(PASSAGES, context=False), (0, 0, 0)),
        (make_row("any", context=True, distractors=2, refusal=True), (1, 1, 1)),
        (make_row(PASSAGES, distractors=0), (1, 0, 0)),
    ],
)
def test_context_is_counted_from_metadata_or_numbered_passages(
    row: Row, expected: tuple[int, int, int]
) -> None:
    counts = count_context([row])
    assert (counts.with_context, counts.with_distractors, counts.refusals) == expected


@pytest.mark.parametrize(
    ("plain", "context", "refusals", "is_trained"),
    [
        (100, 0, 0, False),
        (80, 16, 4, True),  # a fifth
        (81, 15, 4, False),
        (900, 90, 10, True),  # a hundred
        (900, 89, 10, False),
        (80, 20, 0, False),  # nothing to refuse
        (0, 20, 1, False),  # fewer than one in twenty refuses
        (0, 19, 1, True),
    ],
)
def test_context_trained_needs_enough_rows_and_refusals(
    plain: int, context: int, refusals: int, is_trained: bool
) -> None:
    rows = [make_row()] * plain + [make_row(context=True, distractors=1)] * context
    rows += [make_row(context=True, distractors=1, refusal=True)] * refusals
    assert count_context(rows).is_context_trained is is_trained


def test_context_without_distractors_is_not_context_trained() -> None:
    rows = [make_row(context=True, distractors=0, refusal=i == 0) for i in range(20)]
    assert not count_context(rows).is_context_trained


def test_the_evidence_says_where_answers_stand() -> None:
    rows = [
        make_row(PASSAGES, "[1] 30 days."),
        make_row(PASSAGES, "A month."),
        make_row(PASSAGES, "A month.", answers=["30 days"]),
        make_row(PASSAGES, "Sorry.", refusal=True, answers=["six"]),
        make_row(PASSAGES, "Sorry.", refusal=True, answers=["nine"]),  # it stands there after all
        make_row(PASSAGES, "Sorry.", refusal=True),
        make_row("no passages", "A month."),
    ]
    counts = count_context(rows)
    assert counts.answers_in_passages == 2
    assert counts.answer_share == pytest.approx(2 / 3)
    assert counts.refusals_with_answer == 1
    assert count_context([make_row()]).answer_share is None
