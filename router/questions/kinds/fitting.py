"""Fits a classifier of kinds on vectors of labelled messages; scikit-learn is imported only then.

It knows neither files nor how a vector is made.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from router.classes import MessageKind
from router.errors import TooFewLabelledQuestions
from router.questions.kinds.classifier import FORMAT, NEEDS_SOURCES, UNIT, KindClassifier

FOLDS: Final = 5
MIN_ROWS: Final = 2 * FOLDS  # of every kind: two in each fold
_C: Final = 30.0  # of the regression; 10 to 60 recognise as many messages at equal mistakes
# Share of the rows that need sources, many of them written to pass for another kind, that may be
# taken for a message that needs none; of questions of rag_en, rag_zh and support_en 0.5 % are.
_MOST_TAKEN: Final = 0.02


@dataclass(frozen=True, slots=True)
class LabelledMessage:
    """One row to fit on.

    Attributes:
        message: The user's words.
        kind: What it wants.
        language: As the file says, e.g. zh.
    """

    message: str
    kind: MessageKind
    language: str


def fit_kinds(
    rows: Sequence[LabelledMessage],
    vectors: Any,
    *,
    embedder: str,
    revision: str,
    made_by: str,
    notice: Sequence[str] = (),
) -> KindClassifier:
    """Fit a classifier on all rows, and judge the way it was fitted on rows left out.

    Args:
        rows: Labelled messages.
        vectors: Their vectors as questions, (n, d) float32, L2-normalised.
        embedder: Name of the embedder that made the vectors.
        revision: Its revision.
        made_by: The command, for the file's head.
        notice: Licences and sources of the rows, for the file's head.

    Raises:
        TooFewLabelledQuestions: A kind has fewer than ten rows.
    """
    import numpy as np
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from threadpoolctl import threadpool_limits

    counted = Counter(row.kind for row in rows)
    for kind in MessageKind:
        if counted[kind] < MIN_ROWS:
            raise TooFewLabelledQuestions(
                f"kind {kind} has {counted[kind]} rows; at least {MIN_ROWS} are needed"
            )
    labels = np.array([row.kind.value for row in rows])
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    with threadpool_limits(1):  # several threads differ in the last digit
        left_out = cross_val_predict(
            _regression(), vectors, labels, cv=folds, method="predict_proba"
        )
        model = _regression().fit(vectors, labels)
    kinds = tuple(map(MessageKind, model.classes_))
    needs = np.array([row.kind in NEEDS_SOURCES for row in rows])
    without = left_out[:, [kind not in NEEDS_SOURCES for kind in kinds]].sum(axis=1)
    certain_from = round(float(np.quantile(without[needs], 1 - _MOST_TAKEN)), 3)
    return KindClassifier(
        format=FORMAT,
        made_by=made_by,
        notice=tuple(notice),
        embedder=embedder,
        revision=revision,
        figures={
            "rows": len(rows),
            "folds": FOLDS,
            "accuracy": round(float((left_out.argmax(axis=1) == _places(kinds, rows)).mean()), 4),
            "taken_though_sources_are_needed": _share(without[needs] >= certain_from),
            "recognised_without_sources": _share(without[~needs] >= certain_from),
        },
        kinds=kinds,
        certain_from=certain_from,
        bias=tuple(round(float(bias) * UNIT) for bias in model.intercept_),
        weights=tuple(tuple(round(float(w) * UNIT) for w in row) for row in model.coef_),
    )


def _regression() -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=_C, max_iter=3000, class_weight="balanced")


def _places(kinds: Sequence[MessageKind], rows: Sequence[LabelledMessage]) -> list[int]:
    return [kinds.index(row.kind) for row in rows]


def _share(flags: Any) -> float:
    """Return the share of true flags, (n,) bool; 0 of none."""
    return round(float(flags.mean()), 4) if len(flags) else 0.0
