"""Rows with passages: what is taught, and that a refusal never stands beside its answer."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from adapters import (
    ContextMix,
    ContextQuestion,
    ContextRows,
    InvalidContextQuestions,
    build_context_rows,
    count_context,
    hold_out,
    load_rows,
)


@dataclass(frozen=True)
class Passage:
    external_id: str
    text: str


CITIES = ["Oslo", "Rome", "Lima", "Bern", "Kyiv", "Cairo", "Quito", "Delhi", "Tunis", "Sofia"] * 4
GOLD = [Passage(f"g{n}", f"The office of team {n} is in {CITIES[n]} now.") for n in range(40)]
NOISE = [Passage(f"n{n}", f"Team {n} likes tea at {n} o'clock each day.") for n in range(40)]
QUESTIONS = [
    ContextQuestion(f"Where is team {n}?", (CITIES[n],), f"s{n}", frozenset({f"g{n}"}))
    for n in range(40)
]


def find(question: str) -> list[Passage]:
    """Return the gold, its neighbours (some hold the same city) and noise."""
    n = int(question.split()[-1].rstrip("?"))
    others = [GOLD[(n + step) % 40] for step in (10, 1, 20, 2)]
    return [NOISE[n], GOLD[n], *others, NOISE[(n + 1) % 40]]


def render(question: str, passages: Sequence[Passage]) -> list[dict[str, str]]:
    lines = [f"[{n}] {p.text}" for n, p in enumerate(passages, start=1)]
    return [{"role": "user", "content": "\n".join([*lines, question])}]


def build(questions: Sequence[ContextQuestion] = QUESTIONS, **mix: Any) -> ContextRows:
    return build_context_rows(
        questions,
        retrieve=find,
        render=render,
        refusal=lambda question: f"I do not know: {question}",
        mix=ContextMix(**mix),
    )


def shown(row: Any) -> list[str]:
    """Return the passages of a row's prompt."""
    return [line.split(" ", 1)[1] for line in row["messages"][0]["content"].split("\n")[:-1]]


def test_an_answer_names_the_passage_that_holds_it() -> None:
    places = set()
    for row in build(refusals=0.0).rows:
        mark, answer = row["messages"][-1]["content"].split(" ")
        place = int(mark.strip("[]")) - 1
        assert answer in row["answers"]
        assert answer in shown(row)[place]
        assert [answer in text for text in shown(row)].count(True) == 1
        places.add(place)
    assert places == {0, 1, 2}  # where the gold stands tells nothing


@pytest.mark.parametrize("distractors", ["near", "far", "mixed"])
def test_a_refusal_never_stands_beside_its_answer(distractors: str) -> None:
    refused = [row for row in build(refusals=0.5, distractors=distractors).rows if row["refusal"]]
    assert len(refused) == 40
    for row in refused:
        assert row["messages"][-1]["content"].startswith("I do not know: Where is team")
        assert row["distractors"] == len(shown(row)) >= 1
        assert not any(city in text for city in row["answers"] for text in shown(row))


@pytest.mark.parametrize(("share", "refusals"), [(0.0, 0), (0.2, 10), (0.5, 40)])
def test_the_share_of_refusals_is_of_all_rows(share: float, refusals: int) -> None:
    rows = build(refusals=share).rows
    assert sum(row["refusal"] for row in rows) == refusals
    assert len(rows) == 40 + refusals  # every question is answered once; refusals are twins


def test_near_distractors_are_those_found_and_far_ones_are_not() -> None:
    def found_beside(row: Any) -> list[bool]:
        near = {p.external_id for p in find(row["messages"][0]["content"].split("\n")[-1])}
        return [name in near for name in row["passages"]]

    near = [found_beside(r) for r in build(refusals=0.5, distractors="near").rows if r["refusal"]]
    far = [found_beside(r) for r in build(refusals=0.5, distractors="far").rows if r["refusal"]]
    assert all(all(row) for row in near)
    assert not any(any(row) for row in far)


def test_rows_have_one_to_so_many_passages_of_so_many_words() -> None:
    rows = build(passages=4, passage_words=4, refusals=0.5).rows
    assert {len(shown(row)) for row in rows} == {1, 2, 3, 4}
    assert {len(text.split()) for row in rows for text in shown(row)} == {4}
    for row in rows:
        stands = any(city in text for city in row["answers"] for text in shown(row))
        assert stands is not row["refusal"]


def test_the_seed_decides_everything() -> None:
    assert build(seed=3) == build(seed=3)
    assert build(seed=3).rows != build(seed=4).rows


def test_what_gives_no_row_is_counted_by_reason() -> None:
    questions = [
        QUESTIONS[0],
        ContextQuestion("Where is team 1?", ("Paris",), "s", frozenset({"g1"})),
        ContextQuestion("Where is team 2?", ("Lima",), "s", frozenset({"g30"})),
        ContextQuestion("Where is team 3?", ("e",), "s", frozenset({"g3"})),
    ]
    made = build(questions, refusals=0.0)
    assert len(made.rows) == 1
    assert sorted(made.left_out.values()) == [1, 2]
    with pytest.raises(InvalidContextQuestions, match="no question produced a row .*: 2"):
        build(questions[1:])


def test_without_gold_ids_the_passage_with_the_words_is_gold() -> None:
    question = ContextQuestion("Where is team 7?", ("Delhi",), "s")
    (row,) = build([question], refusals=0.0, passages=1).rows
    assert shown(row) == [GOLD[7].text]


def test_other_documents_with_the_answer_are_no_distractors() -> None:
    question = ContextQuestion(
        "Where is team 7?", ("Delhi",), "s", frozenset({"g7"}), frozenset({"n7", "g8", "g9"})
    )
    (row,) = build([question], refusals=0.0, passages=9, seed=1).rows
    assert not {"n7", "g8", "g9"} & set(row["passages"])


@pytest.mark.parametrize("wrong", [{"refusals": 0.6}, {"refusals": -0.1}, {"passages": 0}])
def test_a_mix_that_teaches_nothing_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidContextQuestions, match="must be 0 to 0.5|at least one passage"):
        build(**wrong)


def test_questions_are_held_out_by_source_before_rows_are_made() -> None:
    twice = [*QUESTIONS, *(ContextQuestion(f"Again {n}?", ("x",), f"s{n}") for n in range(40))]
    kept, held = hold_out(twice, 0.25, seed=1)
    assert len(held) == 20
    assert not {q.source for q in kept} & {q.source for q in held}


def test_rows_train_as_context_rows(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in build(refusals=0.2).rows))
    counts = count_context(load_rows([file]))
    assert counts.is_context_trained
    assert (counts.answer_share, counts.refusals, counts.refusals_with_answer) == (1.0, 10, 0)
