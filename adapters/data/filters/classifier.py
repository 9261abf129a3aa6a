"""Keeps rows that a light classifier takes for wanted ones, fitted on rows of both kinds.

A logistic regression on character n-grams, on vectors of an embedder, or on both. What embeds is
passed in. scikit-learn is imported only where something is fitted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from adapters.data.filters.threshold import ScoreFilter, Threshold
from adapters.data.folding import fold
from adapters.data.relevance import MAX_CHARS, Embed, said_in
from adapters.data.rows import Row, hash_rows
from adapters.errors import InvalidRowFilter

NAME = "classifier"
SCORE = "probability"
WINDOW = 1_024
FOLDS = 5
MIN_LABELS = 4 * FOLDS  # of each kind: four in each fold
ADVISED_LABELS = 500  # of both kinds; the source says 500 to 1,000
# Of the regression. Features have length 1, so a weak penalty is needed for a probability beyond
# 0.9; the same as in the router's classifier of kinds.
_C = 30.0
_N_GRAMS = (1, 3)  # letters; two Han letters are a word, three letters an ending
_FEATURES = 2**18  # of n-grams: hashed, so that nothing is kept of the labelled texts

Features = Literal["letters", "embedder", "both"]


class ClassifierSettings(BaseModel):
    """What the classifier sees, and how sure it must be.

    Attributes:
        min_probability: From which a row goes on; 0.9 is the source's number.
        features: Character n-grams (`letters`: any language, form and wording), the vectors of
            the embedder (meaning), or both.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    min_probability: Annotated[float, Field(gt=0, lt=1)] = 0.9
    features: Features = "letters"


@dataclass(frozen=True, slots=True)
class ClassifierQuality:
    """How good a classifier is on labelled rows it was not fitted on (five folds).

    Attributes:
        wanted: Labelled rows of that kind.
        unwanted: Likewise.
        auc: How often a wanted row has a higher probability than an unwanted one, 0..1.
        wanted_kept: Share of the wanted rows that it keeps.
        unwanted_kept: Share of the unwanted rows that it keeps.
    """

    wanted: int
    unwanted: int
    auc: float
    wanted_kept: float
    unwanted_kept: float


@dataclass(frozen=True, slots=True)
class RowClassifier:
    """A fitted classifier.

    Attributes:
        settings: It was fitted with.
        quality: On rows left out.
        labels: SHA-256 (hex) of the labelled rows, and what embeds.
    """

    settings: ClassifierSettings
    quality: ClassifierQuality
    labels: str
    _features: "_Features"
    _regression: Any

    def probabilities(self, rows: Sequence[Row]) -> list[float]:
        """Return for each row the probability that it is wanted, 0..1."""
        matrix = self._features.of([_read(row) for row in rows])
        found: list[float] = self._regression.predict_proba(matrix)[:, 1].tolist()
        return found


def fit_row_classifier(
    wanted: Sequence[Row],
    unwanted: Sequence[Row],
    settings: ClassifierSettings,
    *,
    embed: Embed | None = None,
    embedder_id: str = "",
) -> RowClassifier:
    """Fit a classifier on all labelled rows, and judge it on rows left out.

    Args:
        wanted: Rows to keep, at least `MIN_LABELS`; `ADVISED_LABELS` of both kinds are better.
        unwanted: Rows to drop, likewise.
        settings: What it sees.
        embed: Turns texts into vectors; None only for `letters`.
        embedder_id: What identifies it.

    Raises:
        InvalidRowFilter: There are too few rows of a kind, or one is labelled as both.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict

    texts = [_read(row) for row in (*wanted, *unwanted)]
    groups = [fold(text) for text in texts]
    _check_labels(groups[: len(wanted)], groups[len(wanted) :])
    features = _Features.make(settings.features, embed)
    matrix = features.of(texts)
    kinds = np.repeat((1, 0), (len(wanted), len(unwanted)))
    # Balanced: how many of each kind were labelled says nothing of how many there are.
    # The dual of liblinear looks at rows, of which there are few, not at all hashed n-grams.
    regression = LogisticRegression(
        C=_C, class_weight="balanced", solver="liblinear", dual=True, max_iter=2_000, random_state=0
    )
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0)  # copies stay together
    guessed = cross_val_predict(
        regression, matrix, kinds, groups=groups, cv=folds, method="predict_proba"
    )[:, 1]
    return RowClassifier(
        settings,
        _judge(guessed, kinds == 1, settings.min_probability),
        f"{hash_rows(wanted)} {hash_rows(unwanted)} {embedder_id}".strip(),
        features,
        regression.fit(matrix, kinds),
    )


def filter_by_classifier(classifier: RowClassifier) -> ScoreFilter:
    """Return the filter that keeps rows which are wanted by a probability; not system turns."""
    settings = classifier.settings
    threshold = Threshold(SCORE, settings.min_probability, True, "probability_too_low", "as set")
    return ScoreFilter(
        NAME,
        threshold,
        classifier.probabilities,
        settings={**settings.model_dump(), "labels": classifier.labels},
        window=WINDOW,
    )


def _read(row: Row) -> str:
    return said_in(row)[:MAX_CHARS]


def _check_labels(wanted: Sequence[str], unwanted: Sequence[str]) -> None:
    for kind, texts in (("wanted", wanted), ("unwanted", unwanted)):
        if len(set(texts)) < MIN_LABELS:
            raise InvalidRowFilter(
                f"the classifier needs {MIN_LABELS} different {kind} rows, and there are "
                f"{len(set(texts))}; {ADVISED_LABELS} labelled rows in all are advised"
            )
    if both := set(wanted) & set(unwanted):
        raise InvalidRowFilter(
            f"{len(both)} rows are labelled both as wanted and as unwanted, such as "
            f"{min(both)[:40]!r}"
        )


def _judge(
    guessed: npt.NDArray[np.float64], wanted: npt.NDArray[np.bool_], limit: float
) -> ClassifierQuality:
    from sklearn.metrics import roc_auc_score

    kept = guessed >= limit
    return ClassifierQuality(
        wanted=int(wanted.sum()),
        unwanted=int((~wanted).sum()),
        auc=round(float(roc_auc_score(wanted, guessed)), 4),
        wanted_kept=round(float(kept[wanted].mean()), 4),
        unwanted_kept=round(float(kept[~wanted].mean()), 4),
    )


@dataclass(frozen=True, slots=True)
class _Features:
    """Turns texts into what the regression sees, (n, features), each part of length 1."""

    n_grams: Any
    embed: Embed | None

    @classmethod
    def make(cls, kind: Features, embed: Embed | None) -> "_Features":
        from sklearn.feature_extraction.text import HashingVectorizer

        if kind != "letters" and embed is None:
            raise InvalidRowFilter(f"the features {kind!r} need an embedder")
        n_grams = HashingVectorizer(
            analyzer="char", ngram_range=_N_GRAMS, n_features=_FEATURES, alternate_sign=False
        )
        return cls(n_grams if kind != "embedder" else None, embed if kind != "letters" else None)

    def of(self, texts: Sequence[str]) -> Any:
        from scipy.sparse import csr_matrix, hstack

        parts = []
        if self.n_grams is not None:
            parts.append(self.n_grams.transform(texts))
        if self.embed is not None:
            parts.append(csr_matrix(self.embed(texts)))
        return hstack(parts, format="csr")
