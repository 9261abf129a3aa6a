"""Fitting the question classifier, and how it is judged."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from router import (
    LabelledQuestion,
    QuestionClass,
    TooFewLabelledQuestions,
    baseline,
    fit,
    measure_quality,
)
from router.questions.fitting import group, split

OWN = Path(__file__).parents[3] / "router" / "questions" / "labelled.jsonl"
CHAT, FACT, TASK = (
    QuestionClass.CHITCHAT,
    QuestionClass.NEEDS_KNOWLEDGE,
    QuestionClass.TASK,
)


def own_rows(labels: tuple[QuestionClass, ...], each: int) -> list[LabelledQuestion]:
    """Return the first `each` shipped rows of every label and language."""
    taken: Counter[tuple[str, str]] = Counter()
    rows = []
    for line in OWN.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        cell = (row["label"], row["lang"])
        taken[cell] += 1
        if row["label"] in labels and taken[cell] <= each:
            source = "odd" if taken[cell] % 2 else "even"
            label = QuestionClass(row["label"])
            rows.append(LabelledQuestion(row["query"], label, row["lang"], source=source))
    return rows


ROWS = own_rows((CHAT, FACT, TASK), 20)


def test_fitting_twice_gives_the_same_file() -> None:
    first = fit(ROWS, made_by="a test", notice=["MIT"])
    second = fit(list(ROWS), made_by="a test", notice=["MIT"])
    assert first.text == second.text
    assert first.classifier.document.notice == ("MIT",)
    assert first.classifier.version == second.classifier.version


def test_a_fitted_classifier_learns_its_rows_and_is_judged_on_others() -> None:
    fitted = fit(ROWS, made_by="a test")
    right = [fitted.classifier.guess(row.query).label is row.label for row in ROWS]
    assert sum(right) / len(right) > 0.95
    assert 0.4 < fitted.figures["accuracy"] < 0.95
    assert fitted.figures["rows"] == len(ROWS)
    assert set(fitted.figures["by_lang"]) == {"en", "zh"}
    assert set(fitted.figures["leave_one_source_out"]["by_source"]) == {"odd", "even"}


def test_a_row_is_judged_by_the_fold_that_left_it_out() -> None:
    fitted = fit(ROWS, made_by="a test")
    apart = replace(fitted.classifier, leaves_out=True)
    assert (
        measure_quality(ROWS, [fitted.classifier.guess(row.query).label for row in ROWS]).accuracy
        == 1.0
    )
    left_out = measure_quality(ROWS, [apart.guess(row.query).label for row in ROWS])
    assert left_out.accuracy == fitted.figures["accuracy"] < 1.0
    assert apart.guess("Is the tram red?") == fitted.classifier.guess("Is the tram red?")


def test_rows_that_are_only_fitted_on_are_not_judged_but_learned() -> None:
    also = [LabelledQuestion(f"zyxomat {n}", TASK, "en") for n in range(40)]
    fitted = fit(ROWS, also, made_by="a test")
    assert fitted.figures["rows"] == len(ROWS)
    assert fitted.figures["also_fitted_on"] == 40
    assert fitted.classifier.guess("zyxomat").label is TASK
    assert fitted.classifier.has_seen("ZYXOMAT 7")


def test_two_labels_are_enough() -> None:
    rows = own_rows((CHAT, TASK), 10)
    fitted = fit(rows, made_by="a test")
    assert set(fitted.classifier.document.labels) == {CHAT, TASK}
    assert all(fitted.classifier.guess(row.query).label is row.label for row in rows)


@pytest.mark.parametrize("kept", [0, 9])
def test_too_few_rows_of_a_label_are_refused_naming_it(kept: int) -> None:
    rows = [row for row in ROWS if row.label is FACT]
    rows += [row for row in ROWS if row.label is CHAT][:kept]
    with pytest.raises(
        TooFewLabelledQuestions, match="chitchat has 9 rows" if kept else "two labels"
    ):
        fit(rows, made_by="a test")


def test_one_conversation_and_one_wording_stay_in_one_fold() -> None:
    told = "A long enough turn that two rows of one conversation share."
    rows = [
        LabelledQuestion("Is it quiet?", FACT, "en", (told,)),
        LabelledQuestion("book it", TASK, "en", ("hello", told)),
        LabelledQuestion("What is the occupation of Ann Lee?", FACT, "en"),
        LabelledQuestion("what is the occupation of Bob Ray?", FACT, "en"),
        LabelledQuestion("order 17 was late and I am annoyed", TASK, "en"),
        LabelledQuestion("order 93 was late and I am annoyed", TASK, "en"),
        LabelledQuestion("这家店几点开门？", FACT, "zh"),
        LabelledQuestion("那家店几点开门？", FACT, "zh"),
        LabelledQuestion("yes", TASK, "en", ("no",)),
        LabelledQuestion("book another", TASK, "en", ("no",)),
    ]
    groups = group(rows)
    pairs = [groups[at] == groups[at + 1] for at in range(0, len(rows), 2)]
    assert pairs == [True, True, True, True, False]
    assert len(set(groups)) == 6


def test_folds_are_five_and_keep_groups_whole() -> None:
    folds = split(ROWS)
    assert set(folds) == set(range(5))
    by_group: dict[int, set[int]] = {}
    for fold, of in zip(folds, group(ROWS), strict=True):
        by_group.setdefault(of, set()).add(fold)
    assert all(len(found) == 1 for found in by_group.values())


def test_quality_counts_by_label_language_and_source() -> None:
    rows = [
        LabelledQuestion("a", FACT, "en", source="x"),
        LabelledQuestion("b", FACT, "zh", source="x"),
        LabelledQuestion("c", TASK, "zh", source="y"),
    ]
    quality = measure_quality(rows, [FACT, TASK, TASK])
    assert quality.accuracy == 0.6667
    assert quality.by_label["needs_knowledge"] == {
        "rows": 2,
        "precision": 1.0,
        "recall": 0.5,
        "f1": 0.6667,
    }
    assert quality.by_label["task"]["precision"] == 0.5
    assert quality.macro_f1 == 0.6667
    assert quality.by_language["zh"] == {"rows": 2, "macro_f1": 0.3333, "accuracy": 0.5}
    assert quality.by_source["y"]["accuracy"] == 1.0


def test_the_baseline_is_fitted_on_the_rows_named_or_on_other_folds() -> None:
    flipped = [
        LabelledQuestion(row.query, TASK if row.label is CHAT else CHAT, row.language)
        for row in ROWS
        if row.label is not FACT
    ]
    rows = [row for row in ROWS if row.label is not FACT]
    assert baseline(rows, rows).accuracy > 0.95
    assert baseline(rows, flipped).accuracy < 0.05
    assert 0.5 < baseline(rows).accuracy < 0.95
