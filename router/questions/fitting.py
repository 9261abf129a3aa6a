"""Fits the question classifier on labelled questions, and validates it on rows left out.

Logistic regression over the features of `features.py`, by scikit-learn, which is imported only
when something is fitted. Rows of one conversation or of nearly one wording stay in one fold.
Beside it stands the baseline any text classifier must beat: TF-IDF and a linear SVM over the bare
question. It knows no files.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from router.classes import QuestionClass
from router.errors import TooFewLabelledQuestions
from router.questions.classifier import (
    FORMAT,
    UNIT,
    Classifier,
    ClassifierDocument,
    parse_classifier,
    row_mark,
    strengths_of,
    write_document,
)
from router.questions.features import Features, features_of
from router.questions.quality import LabelledQuestion, Quality, measure_quality

FOLDS: Final = 5
MIN_ROWS: Final = 2 * FOLDS  # of every label: two in each fold
_C = 20.0  # C of the regression; 10 to 30 differ by 0.002 macro-F1 on the routing set
_MAX_WEIGHT = 10.0  # most a row of a small cell (label and language) is weighted up
_EXTRA_WEIGHT = 0.5  # weight of a row that is never validated
_SAME_WORDING = 0.5  # Jaccard overlap of grams from which two questions count as one wording
# Share of right guesses among those acted on: chit-chat answered without passages costs most.
_CERTAIN_SHARE: Final = {QuestionClass.CHITCHAT: 0.99}
_CERTAIN_SHARE_ELSE: Final = 0.97
_LEAST_CERTAIN: Final = 0.6


@dataclass(frozen=True, slots=True)
class Fitted:
    """A new classifier, the text of its file, and its quality on rows it was not fitted on."""

    classifier: Classifier
    text: str
    figures: Mapping[str, Any]


def fit(
    rows: Sequence[LabelledQuestion],
    also: Sequence[LabelledQuestion] = (),
    *,
    made_by: str,
    notice: Sequence[str] = (),
) -> Fitted:
    """Fit a classifier, and validate the way it was fitted on rows left out.

    Args:
        rows: Validated by five folds, and by leaving out each of their sources where they
            name several; the file is fitted on all of them.
        also: Rows that are always fitted on and never validated.
        made_by: The command, for the file's head.
        notice: Licences and sources of the rows, for the file's head.

    Raises:
        TooFewLabelledQuestions: A label has fewer than ten rows, or there is only one label.
    """
    check_rows(rows)
    validated = _prepare(rows)
    extra = _prepare(also, _EXTRA_WEIGHT)
    left_out = _logits_left_out(validated, extra, split(rows))
    temperature = _fit_temperature(left_out, rows)
    probabilities = [_softmax(logits, temperature) for logits in left_out]
    document = _document(validated + extra, temperature).model_copy(
        update={
            "made_by": made_by,
            "notice": tuple(notice),
            "certain_from": _certain_from(probabilities, rows),
            "rows": _left_out_guesses(probabilities, rows, also),
            "figures": _figures(probabilities, rows, validated, extra),
        }
    )
    text = write_document(document)
    return Fitted(parse_classifier(text, file=made_by), text, document.figures)


def check_rows(rows: Sequence[LabelledQuestion]) -> None:
    """Refuse rows too few to fit on and to validate on.

    Raises:
        TooFewLabelledQuestions: A label has fewer than ten rows, or there is only one label.
    """
    counted = Counter(row.label for row in rows)
    if len(counted) < 2:
        raise TooFewLabelledQuestions("at least two labels are needed, each with its own questions")
    for label, n in counted.items():
        if n < MIN_ROWS:
            raise TooFewLabelledQuestions(
                f"label {label} has {n} rows; at least {MIN_ROWS} are needed"
            )


def baseline(
    rows: Sequence[LabelledQuestion], train: Sequence[LabelledQuestion] | None = None
) -> Quality:
    """Return what TF-IDF (char 1-4 and word 1-2 grams) and a linear SVM reach on the bare question.

    Args:
        rows: Validated.
        train: Fitted on; None: five folds of `rows`, each validated by the other four.

    Raises:
        TooFewLabelledQuestions: What it would be fitted on has too few rows of a label.
    """
    check_rows(rows if train is None else train)
    if train is not None:
        return measure_quality(rows, _baseline_guesses(train, rows))
    guessed: list[QuestionClass] = [QuestionClass.TASK] * len(rows)
    folds = split(rows)
    for fold in range(FOLDS):
        inside = [row for row, at in zip(rows, folds, strict=True) if at != fold]
        outside = [place for place, at in enumerate(folds) if at == fold]
        found = _baseline_guesses(inside, [rows[place] for place in outside])
        for place, guess in zip(outside, found, strict=True):
            guessed[place] = guess
    return measure_quality(rows, guessed)


def split(rows: Sequence[LabelledQuestion]) -> list[int]:
    """Return the fold of each row, 0 to 4: labels even, groups whole, the same every time."""
    from sklearn.model_selection import StratifiedGroupKFold

    labels = [row.label.value for row in rows]
    parts = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0)
    folds = [0] * len(rows)
    for fold, (_, places) in enumerate(parts.split(labels, labels, group(rows))):
        for place in places:
            folds[place] = fold
    return folds


def group(rows: Sequence[LabelledQuestion]) -> list[int]:
    """Return a group for each row: rows that share a longer turn, or nearly one wording."""
    parent = list(range(len(rows)))

    def find(place: int) -> int:
        while parent[place] != place:
            parent[place] = parent[parent[place]]
            place = parent[place]
        return place

    said: dict[str, int] = {}
    for place, row in enumerate(rows):
        for turn in (*row.history, row.query):
            if len(turn) >= (25 if turn.isascii() else 10):  # "yes please" joins nothing
                parent[find(place)] = find(said.setdefault(turn.lower(), place))
    for one, other in _like_worded(rows):
        parent[find(one)] = find(other)
    return [find(place) for place in range(len(rows))]


@dataclass(frozen=True, slots=True)
class _Row:
    """A row with its features."""

    row: LabelledQuestion
    features: Features
    weight: float


def _prepare(rows: Iterable[LabelledQuestion], weight: float = 1.0) -> list[_Row]:
    return [_Row(row, features_of(row.query), weight) for row in rows]


def _like_worded(rows: Sequence[LabelledQuestion]) -> Iterable[tuple[int, int]]:
    """Yield the pairs whose sets of grams overlap by half, numbers and case aside."""
    from sklearn.feature_extraction.text import CountVectorizer

    for analyzer, size, ascii_only in (("char_wb", 3, True), ("char", 2, False)):
        places = [n for n, row in enumerate(rows) if row.query.isascii() is ascii_only]
        texts = [re.sub(r"\d+", "0", rows[place].query.lower()) for place in places]
        if not any(len(text) >= size for text in texts):
            continue
        counter = CountVectorizer(analyzer=analyzer, ngram_range=(size, size), binary=True)
        grams = counter.fit_transform(texts)
        sizes = grams.sum(axis=1).A1
        common = (grams @ grams.T).tocoo()
        for one, other, shared in zip(common.row, common.col, common.data, strict=True):
            if one < other and shared / (sizes[one] + sizes[other] - shared) >= _SAME_WORDING:
                yield places[one], places[other]


def _logits_left_out(
    validated: Sequence[_Row], extra: Sequence[_Row], folds: Sequence[int]
) -> list[dict[QuestionClass, float]]:
    """Return the logits of each row by a classifier that was not fitted on its fold."""
    logits: list[dict[QuestionClass, float]] = [{} for _ in validated]
    for fold in sorted(set(folds)):
        inside = [row for row, at in zip(validated, folds, strict=True) if at != fold]
        model = _Model.fit([*inside, *extra])
        for place, at in enumerate(folds):
            if at == fold:
                logits[place] = model.logits(validated[place].features)
    return logits


@dataclass(frozen=True, slots=True)
class _Model:
    """A regression as scikit-learn leaves it, over named features."""

    idf: Mapping[str, float]
    places: Mapping[str, int]
    labels: tuple[QuestionClass, ...]
    weights: Any  # (n_labels, n_features) float64
    bias: Any  # (n_labels,) float64

    @classmethod
    def fit(cls, rows: Sequence[_Row]) -> _Model:
        """Fit on all of `rows`."""
        import numpy as np
        from scipy.sparse import csr_matrix
        from sklearn.linear_model import LogisticRegression
        from threadpoolctl import threadpool_limits

        idf = _idf(rows)
        places = {name: place for place, name in enumerate(sorted(idf))}
        starts, columns, values = [0], [], []
        for row in rows:
            for name, strength in strengths_of(row.features, idf).items():
                columns.append(places[name])
                values.append(strength)
            starts.append(len(columns))
        matrix = csr_matrix((values, columns, starts), shape=(len(rows), len(places)))
        labels = np.array([row.row.label.value for row in rows])
        model = LogisticRegression(C=_C, max_iter=1000, tol=1e-5)
        with threadpool_limits(1):  # logits of several threads differ in the last digit
            model.fit(matrix, labels, sample_weight=_balance_weights(rows))
        weights, bias = model.coef_, model.intercept_
        if len(model.classes_) == 2:  # scikit-learn keeps one row for two classes
            weights, bias = np.vstack([-weights, weights]) / 2, np.hstack([-bias, bias]) / 2
        return cls(idf, places, tuple(map(QuestionClass, model.classes_)), weights, bias)

    def logits(self, features: Features) -> dict[QuestionClass, float]:
        """Return the logit, for each label."""
        logits = self.bias.copy()
        for name, strength in strengths_of(features, self.idf).items():
            logits += strength * self.weights[:, self.places[name]]
        return dict(zip(self.labels, logits.tolist(), strict=True))


def _idf(rows: Sequence[_Row]) -> dict[str, float]:
    """Return the smoothed inverse document frequency of every feature."""
    counted: Counter[str] = Counter()
    for row in rows:
        for part in row.features:
            counted.update(part.keys())
    return {name: math.log((1 + len(rows)) / (1 + n)) + 1 for name, n in counted.items()}


def _balance_weights(rows: Sequence[_Row]) -> list[float]:
    """Weight rows so that every label of every language has the same weight, within bounds."""
    cells = [(row.row.label, row.row.language) for row in rows]
    sizes: dict[tuple[QuestionClass, str], float] = defaultdict(float)
    for row, cell in zip(rows, cells, strict=True):
        sizes[cell] += row.weight
    mean = sum(sizes.values()) / len(sizes)
    weights = [
        row.weight * min(_MAX_WEIGHT, mean / sizes[cell])
        for row, cell in zip(rows, cells, strict=True)
    ]
    scale = len(weights) / sum(weights)
    return [weight * scale for weight in weights]


def _softmax(
    logits: Mapping[QuestionClass, float], temperature: float
) -> dict[QuestionClass, float]:
    highest = max(logits.values())
    powers = {label: math.exp((value - highest) / temperature) for label, value in logits.items()}
    total = sum(powers.values())
    return {label: power / total for label, power in powers.items()}


def _fit_temperature(
    left_out: Sequence[Mapping[QuestionClass, float]], rows: Sequence[LabelledQuestion]
) -> float:
    """Return the temperature at which confidence on rows left out has the least log loss."""

    def log_loss(temperature: float) -> float:
        probabilities = (_softmax(logits, temperature) for logits in left_out)
        return -sum(
            math.log(max(1e-9, share.get(row.label, 0.0)))
            for share, row in zip(probabilities, rows, strict=True)
        )

    return min((step / 20 for step in range(4, 41)), key=log_loss)  # 0.2 to 2


def _certain_from(
    probabilities: Sequence[Mapping[QuestionClass, float]], rows: Sequence[LabelledQuestion]
) -> dict[QuestionClass, float]:
    """Return the confidence from which guesses of each label are right often enough."""
    guesses: dict[QuestionClass, list[tuple[float, bool]]] = defaultdict(list)
    for share, row in zip(probabilities, rows, strict=True):
        label = max(share, key=share.__getitem__)
        guesses[label].append((share[label], label is row.label))
    return {
        label: _lowest_certain(guesses[label], _CERTAIN_SHARE.get(label, _CERTAIN_SHARE_ELSE))
        for label in sorted(probabilities[0])
    }


def _lowest_certain(guesses: Sequence[tuple[float, bool]], wanted: float) -> float:
    """Return the lowest confidence above which the share of right guesses is `wanted`."""
    right, lowest = 0, 1.0
    for taken, (confidence, is_right) in enumerate(sorted(guesses, reverse=True), start=1):
        right += is_right
        if right / taken >= wanted:
            lowest = confidence
    return max(_LEAST_CERTAIN, round(lowest, 3))


def _document(rows: Sequence[_Row], temperature: float) -> ClassifierDocument:
    """Fit on all rows and round to thousandths."""
    model = _Model.fit(rows)
    features: dict[str, tuple[int, ...]] = {}
    for name, place in model.places.items():
        weights = [round(float(w) * UNIT / temperature) for w in model.weights[:, place]]
        features[name] = (round(model.idf[name] * UNIT), *weights)
    return ClassifierDocument(
        format=FORMAT,
        made_by="",
        notice=(),
        figures={},
        labels=model.labels,
        certain_from=dict.fromkeys(model.labels, 1.0),
        bias=tuple(round(float(b) * UNIT / temperature) for b in model.bias),
        rows={},
        features=features,
    )


def _left_out_guesses(
    probabilities: Sequence[Mapping[QuestionClass, float]],
    rows: Sequence[LabelledQuestion],
    also: Sequence[LabelledQuestion],
) -> dict[str, tuple[int, int] | None]:
    """Return every row's mark, and what the fold without it guessed where one left it out."""
    found: dict[str, tuple[int, int] | None] = {row_mark(row.query): None for row in also}
    for share, row in zip(probabilities, rows, strict=True):
        label = max(share, key=share.__getitem__)
        found[row_mark(row.query)] = sorted(share).index(label), round(share[label] * UNIT)
    return found


def _figures(
    probabilities: Sequence[Mapping[QuestionClass, float]],
    rows: Sequence[LabelledQuestion],
    validated: Sequence[_Row],
    extra: Sequence[_Row],
) -> dict[str, Any]:
    """Return what goes into the file's head: five folds, and each source left out."""
    guessed = [max(share, key=share.__getitem__) for share in probabilities]
    found = {
        "folds": FOLDS,
        **measure_quality(rows, guessed).as_dict(),
        "also_fitted_on": len(extra),
        "baseline_macro_f1": baseline(rows).macro_f1,
    }
    sources = sorted({row.source for row in rows})
    if len(sources) > 1:
        by_source = [sources.index(row.source) for row in rows]
        logits = _logits_left_out(validated, extra, by_source)
        quality = measure_quality(rows, [max(each, key=each.__getitem__) for each in logits])
        found["leave_one_source_out"] = quality.as_dict()
    return found


def _baseline_guesses(
    train: Sequence[LabelledQuestion], rows: Sequence[LabelledQuestion]
) -> list[QuestionClass]:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline, make_union
    from sklearn.svm import LinearSVC

    # The best of 16 settings tried on the routing set: it must be worth beating.
    characters = TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 4), sublinear_tf=True)
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    svm = LinearSVC(class_weight="balanced", random_state=0)
    model = make_pipeline(make_union(characters, words), svm)
    model.fit([row.query for row in train], [row.label.value for row in train])
    return [QuestionClass(label) for label in model.predict([row.query for row in rows])]
