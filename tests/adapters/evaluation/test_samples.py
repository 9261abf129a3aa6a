import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from adapters import InvalidEvaluationRows, load_rows, parse_training_config
from adapters.data import Row
from adapters.evaluation import held_out_rows, load_gate_policy
from adapters.evaluation.samples import (
    Samples,
    choose_metric,
    make_samples,
)
from adapters.evaluation.trained_rows import TrainedRows, read_trained_rows, record_trained_rows

WORDS = load_gate_policy().task_metrics
NOTHING = TrainedRows()


def row(question: str, answer: str, **meta: Any) -> dict[str, Any]:
    turns = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    system = {"role": "system", "content": "Be brief."}
    return {"messages": [system, *turns], **meta}


def load(tmp_path: Path, rows: Sequence[dict[str, Any]], name: str = "rows.jsonl") -> list[Row]:
    file = tmp_path / name
    file.write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows))
    return load_rows([file])


def sample(rows: Sequence[Row], kept: TrainedRows = NOTHING, **options: Any) -> Samples:
    given = {"adapter_task": "facts", "few_shot": 0, **options}
    return make_samples(rows, kept, WORDS, **given)


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (['{"a": 1}', "{}"], "slot_f1"),
        (['[{"a": 1}]', "[]"], "slot_f1"),
        (["[1, 2]", "[3]"], "json_validity"),
        (["refund", "delivery"] * 4, "accuracy"),
        (["refund"] * 8, "token_f1"),  # one label for all is none
        (["in 1912", "by Ada", "oak"], "token_f1"),
        (["word " * 30, "other " * 40], "chrf"),
    ],
)
def test_the_shape_of_answers_names_the_metric(
    tmp_path: Path, answers: list[str], expected: str
) -> None:
    rows = load(tmp_path, [row(f"q{i}", answer) for i, answer in enumerate(answers)])
    assert choose_metric(rows, WORDS) == expected


@pytest.mark.parametrize(
    ("meta", "expected"),
    [
        ({"task": "facts_json_en"}, "slot_f1"),
        ({"task": "support_style_en"}, "chrf"),
        ({"task": "facts_json_en", "metric": "exact_match"}, "exact_match"),
        ({"meta": {"task": "customer_intent"}}, "accuracy"),
    ],
)
def test_a_row_or_its_task_names_the_metric(
    tmp_path: Path, meta: dict[str, Any], expected: str
) -> None:
    assert choose_metric(load(tmp_path, [row("q", "a", **meta)]), WORDS) == expected


def test_different_metrics_are_refused_with_both_places(tmp_path: Path) -> None:
    rows = load(tmp_path, [row("q", "a", task="x_json"), row("q", "a", task="x_style")])
    with pytest.raises(InvalidEvaluationRows, match=r"slot_f1 \(.*:1\), chrf \(.*:2\)"):
        choose_metric(rows, WORDS)


def test_an_unknown_metric_is_refused_with_the_nearest_one(tmp_path: Path) -> None:
    rows = load(tmp_path, [row("q", "a", metric="slotf1")])
    with pytest.raises(InvalidEvaluationRows, match=r"rows\.jsonl:1.*did you mean slot_f1"):
        choose_metric(rows, WORDS)


def test_what_a_run_keeps_is_read_back_and_trained_rows_are_left_out(tmp_path: Path) -> None:
    rows = load(tmp_path, [row(f"q{i}", "a b", task="facts_qa") for i in range(6)])
    record_trained_rows(tmp_path, rows[:4])
    kept = read_trained_rows(tmp_path)
    assert (len(kept.questions), kept.tasks, len(kept.examples)) == (
        4,
        frozenset({"facts_qa"}),
        4,
    )
    found = sample(rows, kept, few_shot=2)
    assert [s.prompt[-1].content for s in found.rows] == ["q4", "q5"]
    assert (found.left_out, found.examples, found.examples_from) == (
        {"trained_on": 4},
        2,
        "training",
    )
    assert found.task == "facts_qa"


def test_rows_that_were_all_trained_on_are_refused(tmp_path: Path) -> None:
    rows = load(tmp_path, [row("q", "a")])
    record_trained_rows(tmp_path, rows)
    with pytest.raises(InvalidEvaluationRows, match="all 1 rows were trained on"):
        sample(rows, read_trained_rows(tmp_path))


def test_no_rows_at_all_are_refused() -> None:
    with pytest.raises(InvalidEvaluationRows, match="held out"):
        sample([])


def test_rows_of_another_task_are_refused_by_line(tmp_path: Path) -> None:
    kept = TrainedRows(tasks=frozenset({"facts_json_en"}))
    rows = load(tmp_path, [row("q", "{}", task="facts_json_en"), row("q", "{}", task="acts_json")])
    with pytest.raises(InvalidEvaluationRows, match=r"rows\.jsonl:2: the row is of task acts_json"):
        sample(rows, kept)


@pytest.mark.parametrize("task", ["facts_json_en", "my_facts", None])
def test_the_adapters_own_name_and_rows_without_a_task_are_fine(
    tmp_path: Path, task: str | None
) -> None:
    kept = TrainedRows(tasks=frozenset({"facts_json_en"}))
    rows = load(tmp_path, [row("q", "{}", **({"task": task} if task else {}))])
    assert len(sample(rows, kept, adapter_task="my-facts").rows) == 1


def test_few_shot_examples_are_earlier_turns_under_one_system_turn(tmp_path: Path) -> None:
    rows = load(tmp_path, [row(f"q{i}", f"a{i}") for i in range(5)])
    record_trained_rows(tmp_path, rows[:4])
    found = sample(rows, read_trained_rows(tmp_path), few_shot=2).rows[0]
    assert found.few_shot is not None
    roles = [turn.role for turn in found.few_shot]
    assert roles == ["system", "user", "assistant", "user", "assistant", "user"]
    assert found.few_shot[-1].content == "q4"
    assert "a4" not in [turn.content for turn in found.few_shot]


def test_without_kept_rows_examples_are_set_aside_and_not_evaluated(tmp_path: Path) -> None:
    rows = load(tmp_path, [row(f"q{i}", f"a{i}") for i in range(9)])
    found = sample(rows, few_shot=3)
    assert (found.examples_from, found.left_out, len(found.rows)) == (
        "set aside",
        {"examples": 3},
        6,
    )
    asked = {s.prompt[-1].content for s in found.rows}
    shown = found.rows[0].few_shot or ()
    assert not asked - {found.rows[0].prompt[-1].content} & {turn.content for turn in shown}


def test_a_limit_is_told(tmp_path: Path) -> None:
    rows = load(tmp_path, [row(f"q{i}", "a") for i in range(9)])
    found = sample(rows, limit=4)
    assert (len(found.rows), found.left_out) == (4, {"over_limit": 5})


def test_held_out_rows_are_those_the_run_holds_back(tmp_path: Path) -> None:
    load(tmp_path, [row(f"q{i}", "a", source=f"s{i // 2}") for i in range(10)])
    keys = {"task": "t", "model_name_or_path": "m", "dataset": "rows.jsonl", "val_size": 4}
    config = parse_training_config(keys, folder=tmp_path)
    assert len(held_out_rows(config)) == 4


def test_answers_nested_without_end_are_no_json(tmp_path: Path) -> None:
    rows = load(tmp_path, [row(f"q{n}", "[" * 100_000) for n in range(4)])
    assert sample(rows).metric != "json_validity"


def test_rows_whose_answers_were_trained_on_are_asked_apart(tmp_path: Path) -> None:
    trained = [row(f"q{i}", json.dumps({"shelf": i})) for i in range(6)]
    record_trained_rows(tmp_path, load(tmp_path, trained))
    asked = [row("n1", '{"shelf": 1}'), row("n2", '{"shelf": 8, "row": 1}'), row("Q3？", "{}")]
    found = sample(load(tmp_path, asked), read_trained_rows(tmp_path))
    assert [s.prompt[-1].content for s in found.rows] == ["n2"]
    assert [s.prompt[-1].content for s in found.seen_answers] == ["n1"]
    assert found.seen_answers[0].seen_values == {("shelf", "1")}
    assert found.left_out == {"trained_on": 1, "answer_trained_on": 1}


def test_rows_whose_answers_were_all_trained_on_are_refused(tmp_path: Path) -> None:
    record_trained_rows(tmp_path, load(tmp_path, [row("车铃在哪里", "在1号架")]))
    rows = load(tmp_path, [row("哪里有车铃", "在1号架。")])
    with pytest.raises(InvalidEvaluationRows, match="the answers of all 1 rows with new questions"):
        sample(rows, read_trained_rows(tmp_path))


def test_held_out_pairs_are_asked_for_the_preferred_answer(tmp_path: Path) -> None:
    pairs = [{"prompt": f"q{i}", "chosen": f"a{i}", "rejected": "no"} for i in range(8)]
    (tmp_path / "p.jsonl").write_text("\n".join(map(json.dumps, pairs)))
    keys = {"task": "t", "model_name_or_path": "m", "dataset": "p.jsonl", "val_size": 2}
    config = parse_training_config({**keys, "stage": "dpo"}, folder=tmp_path)
    held_out = held_out_rows(config)
    assert len(held_out) == 2
    assert all(one.messages[1].content == f"a{one.line - 1}" for one in held_out)
