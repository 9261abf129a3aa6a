"""Fitting a classifier of kinds on vectors: it tells apart what lies apart, and says how well."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from router import LabelledMessage, MessageKind, TooFewLabelledQuestions, fit_kinds
from router.questions.kinds.classifier import KindClassifier

KINDS = list(MessageKind)


def rows(each: int) -> list[LabelledMessage]:
    return [LabelledMessage(f"{kind} {n}", kind, "en") for kind in KINDS for n in range(each)]


def vectors(each: int, noise: float) -> Any:
    random = np.random.default_rng(3)
    centres = np.repeat(np.eye(len(KINDS), 12), each, axis=0)
    found = centres + noise * random.standard_normal(centres.shape)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def fit_small(each: int, noise: float) -> KindClassifier:
    return fit_kinds(
        rows(each), vectors(each, noise), embedder="tiny", revision="1", made_by="a test"
    )


def test_what_lies_apart_is_told_apart() -> None:
    fitted = fit_small(each=20, noise=0.05)
    assert fitted.figures["accuracy"] == 1.0
    assert fitted.figures["recognised_without_sources"] == 1.0
    assert (fitted.embedder, fitted.revision, fitted.dimension) == ("tiny", "1", 12)
    for row, vector in zip(rows(20), vectors(20, 0.05), strict=True):
        assert fitted.guess(vector.tolist(), answered=True).kind is row.kind


def test_what_cannot_be_told_apart_is_hardly_taken_for_another() -> None:
    fitted = fit_small(each=40, noise=2.0)
    assert fitted.figures["accuracy"] < 0.6
    assert fitted.figures["taken_though_sources_are_needed"] <= 0.03
    assert fitted.figures["recognised_without_sources"] < 0.6


def test_the_same_rows_give_the_same_file() -> None:
    assert fit_small(each=12, noise=0.3) == fit_small(each=12, noise=0.3)


def test_too_few_rows_of_a_kind_are_refused_by_name() -> None:
    few = [row for row in rows(10) if row.message != "errand 9"]
    with pytest.raises(TooFewLabelledQuestions, match="errand has 9 rows; at least 10"):
        fit_kinds(few, vectors(10, 0.1)[:-1], embedder="tiny", revision="1", made_by="a test")
