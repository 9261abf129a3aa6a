"""The five checks together: verdict, formats, evidence."""

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from adapters import (
    DataCheck,
    Domain,
    Expectations,
    InvalidTrainingData,
    Row,
    check_rows,
    parse_any_rows,
)
from adapters.data import Message
from adapters.data.checks import check_personal_data, judge
from adapters.data.findings import Check, Status

TODAY = date(2026, 6, 30)
NAMES = [f"kind-{number}" for number in range(12)]


def near_if_lamp(texts: Sequence[str]) -> npt.NDArray[np.float32]:
    """Two directions: texts about lamps, and all others."""
    return np.array([[1, 0] if "lamp" in text else [0, 1] for text in texts], dtype=np.float32)


LAMPS = Domain("a lamp shop", near_if_lamp, 0.5, "the test")


def row(question: str = "lamp?", answer: str = "yes", line: int = 1, **meta: object) -> Row:
    return Row(
        (Message("user", question), Message("assistant", answer)), meta, Path("rows.jsonl"), line
    )


def good_rows() -> list[Row]:
    """120 rows: 12 scenarios, each question labelled twice and alike, this year's."""
    return [
        row(
            f"lamp question {n % 60}?",
            ["yes", "no"][n % 2],
            n + 1,
            scenario=NAMES[n % 12],
            date="2026-03-01",
        )
        for n in range(120)
    ]


def check(rows: Sequence[Row], **expected: object) -> dict[str, Check]:
    known = {"today": TODAY, "scenarios": tuple(NAMES), "domain": LAMPS, **expected}
    found = check_rows(rows, Expectations(**known))  # type: ignore[arg-type]  # test values
    return {one.name: one for one in found.checks}


def test_good_rows_pass_every_check() -> None:
    found = check_rows(good_rows(), Expectations(TODAY, tuple(NAMES), LAMPS))
    assert {one.name: one.status for one in found.checks} == dict.fromkeys(
        ("relevance", "scenarios", "agreement", "recency", "personal_data"), "pass"
    )
    assert (found.verdict, found.rows, found.distinct_rows) == ("pass", 120, 60)
    assert all(one.missing is None for one in found.checks)
    assert found.scenarios["kind-0"] == 10


def test_rows_that_say_nothing_are_unknown_and_not_bad() -> None:
    rows = [
        row(f"question {n}", f"a long free answer that nobody repeats, number {n}")
        for n in range(9)
    ]
    found: DataCheck = check_rows(rows, Expectations(TODAY))
    by_name = {one.name: one for one in found.checks}
    assert found.verdict == "unknown"
    assert [name for name, one in by_name.items() if one.status != "unknown"] == ["personal_data"]
    assert all(by_name[name].missing for name in ("relevance", "scenarios", "agreement", "recency"))


@pytest.mark.parametrize(
    ("statuses", "verdict"),
    [
        (["pass", "pass"], "pass"),
        (["pass", "unknown"], "unknown"),
        (["unknown", "fail"], "fail"),
    ],
)
def test_the_verdict_is_the_worst_that_is_known(statuses: list[Status], verdict: str) -> None:
    assert judge(statuses) == verdict


def test_personal_data_fails_with_its_line_and_without_its_value() -> None:
    rows = [
        *good_rows(),
        row("lamp: 请打13812345678找我", "好", 121, scenario="kind-0", date="2026-03-01"),
    ]
    found = check(rows)["personal_data"]
    assert (found.status, found.value, found.missing) == ("fail", 1.0, "mask 1 rows (1 cn_mobile)")
    assert [(one.line, one.reason) for one in found.evidence] == [(121, "cn_mobile")]
    assert "<cn_mobile>" in found.evidence[0].text
    assert "13812345678" not in json.dumps(
        check_rows(rows, Expectations(TODAY, domain=LAMPS)).as_dict(), ensure_ascii=False
    )
    assert found.details["read_by_hand_rows"] == 13


def test_personal_data_in_any_turn_is_found_and_shown_where_it_stands() -> None:
    turns = (
        Message("system", "You help."),
        Message("user", "x " * 300 + "mail me at a.b@example.com"),
        Message("assistant", "I will."),
    )
    found = check_personal_data([Row(turns, {}, Path("r.jsonl"), 7)])
    assert "<email>" in found.evidence[0].text
    assert check_personal_data([row(rejected="call 13812345678")]).status == "fail"


def test_irrelevant_rows_fail_farthest_first() -> None:
    rows = good_rows()[:80] + [row(f"weather {n}", "yes", 200 + n) for n in range(20)]
    found = check(rows)["relevance"]
    assert (found.status, found.value, found.found) == ("fail", 80.0, 20)
    assert found.evidence[0].line == 200
    # 80 of 88 is over nine tenths; so is 180 of 200
    assert found.missing is not None
    assert "remove 12 rows" in found.missing
    assert "add 100 more" in found.missing
    assert found.details["min_similarity_source"] == "the test"


def test_a_system_turn_says_nothing_about_a_rows_domain() -> None:
    turns = (Message("system", "a lamp shop"), *row("weather?").messages)
    assert check([Row(turns, {}, Path("r.jsonl"), 1)])["relevance"].status == "fail"


def test_relevance_of_many_rows_is_a_sample_with_its_interval() -> None:
    rows = [row("lamp" if n % 10 else "rain", "yes", n) for n in range(5000)]
    found = check(rows)["relevance"]
    assert found.value is not None
    assert found.details["sampled"] == 400
    assert found.details["percent_low"] < 90 < found.details["percent_high"]
    assert check(rows)["relevance"] == found  # the same rows are drawn again


FORMATS = [
    {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]},
    {"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]},
    {"instruction": "a", "output": "b"},
    {"instruction": "a", "response": "b"},
    {"prompt": "a", "completion": "b"},
    {"prompt": "a", "chosen": "b", "rejected": "c"},
]


@pytest.mark.parametrize("fields", FORMATS)
def test_every_format_of_the_room_is_read(fields: dict[str, object]) -> None:
    line = json.dumps({**fields, "category": "after-sales"})
    (read,) = parse_any_rows(line.encode(), "rows.jsonl")
    assert [message.content for message in read.messages] == ["a", "b"]
    assert read.meta["category"] == "after-sales"


def test_an_answer_that_reads_rejected_is_no_pair() -> None:
    (read,) = parse_any_rows(b'{"prompt": "claim 7", "completion": "rejected"}', "rows.jsonl")
    assert read.messages[-1].content == "rejected"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no training rows in rows.jsonl"),
        (b"\n \n", "no training rows"),
        ("問".encode("big5"), "is not UTF-8 text, nor GB18030"),
        ("问".encode("gbk"), "rows.jsonl:1: not JSON"),
        (b'{"prompt": "a"}', "rows.jsonl:1: no known format"),
        (b"[1, 2]", "rows.jsonl:1: a row must be an object"),
        (b'{"prompt": "a", "completion": "b"}\n{oh', "rows.jsonl:2: not JSON"),
    ],
)
def test_what_cannot_be_read_is_refused_by_line(content: bytes, said: str) -> None:
    with pytest.raises(InvalidTrainingData) as refused:
        parse_any_rows(content, "rows.jsonl")
    assert said in str(refused.value)
