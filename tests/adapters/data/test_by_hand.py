"""Which rows a person has read, and what the checks make of it."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from adapters.data.by_hand import ReadByHand, digest_of
from adapters.data.checks import Expectations, check_personal_data, check_rows
from adapters.data.rows import Message, Row

EXPECTED = Expectations(date(2026, 6, 30))


def row(number: int = 1, **meta: object) -> Row:
    turns = (Message("user", f"问题{number}"), Message("assistant", "好的"))
    return Row(turns, meta, Path("rows.jsonl"), number)


def read(*rows: Row) -> ReadByHand:
    return ReadByHand(accepted=frozenset(map(digest_of, rows)))


def test_a_digest_tells_turns_and_rejected_answers_apart_but_not_metadata() -> None:
    one = row(rejected="不行")
    assert digest_of(one) == digest_of(replace(row(9, rejected="不行"), messages=one.messages))
    assert len({digest_of(each) for each in (one, row(), row(2), row(rejected="可以"))}) == 4


def test_the_check_says_how_many_rows_were_sampled_by_hand() -> None:
    rows = [row(n, **({"reviewed": True} if n < 3 else {})) for n in range(30)]
    found = check_personal_data(rows, by_hand=read(rows[7]))
    assert found.status == "pass"  # no use case demands the sample
    assert "sampled by hand: 4 of 3" in found.needed
    assert found.details["sampled_by_hand"] == 4


@pytest.mark.parametrize(
    ("accepted", "status", "missing"),
    [
        (0, "unknown", "review 6 more rows by hand (`fingerpost data sample`)"),
        (5, "unknown", "review 1 more rows by hand (`fingerpost data sample`)"),
        (6, "pass", None),
    ],
)
def test_where_a_sample_is_demanded_it_is_unknown_without_it(
    accepted: int, status: str, missing: str | None
) -> None:
    rows = [row(n) for n in range(30)]
    found = check_personal_data(rows, by_hand=read(*rows[:accepted]), manual_sample_share=0.2)
    assert (found.status, found.missing) == (status, missing)


def test_a_row_that_was_refused_may_not_be_left() -> None:
    rows = [row(n) for n in range(3)]
    refused = ReadByHand(refused=frozenset({digest_of(rows[2])}))
    found = check_personal_data(rows, by_hand=refused)
    assert (found.status, found.missing) == (
        "fail",
        "remove 1 rows that were rejected or replaced by hand",
    )
    assert [(one.line, one.reason) for one in found.evidence] == [
        (2, "rejected or replaced by hand")
    ]
    again = replace(refused, accepted=refused.refused)  # accepted in another queue since
    assert check_personal_data(rows, by_hand=again).status == "pass"


def test_what_a_model_made_counts_as_human_once_it_is_accepted() -> None:
    rows = [
        row(1),
        row(2, synthetic=True, reviewed=False),
        row(3, reviewed=False),
        row(4, synthetic=True, reviewed=True),
        row(5, synthetic=True),
    ]
    found = check_rows(rows, EXPECTED)
    counts = (found.distinct_rows, found.human_rows, found.synthetic_rows, found.unreviewed_rows)
    assert counts == (5, 2, 3, 3)
    found = check_rows(rows, replace(EXPECTED, by_hand=read(rows[1], rows[2])))
    assert (found.human_rows, found.unreviewed_rows) == (4, 1)
    assert found.as_dict()["unreviewed_rows"] == 1
