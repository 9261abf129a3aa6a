"""A text classifier that chooses a strategy: the baseline for the router.

It knows questions and scores; it does not know facts or policies.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from router import Strategy

FOLDS = 5
SHRINKAGE = 10.0  # of 1, 3, 10, 30: the best on simulated outcomes of 60 and 1,000 questions


def choose_by_words(
    questions: Sequence[str], scores: Sequence[Mapping[Strategy, float | None]]
) -> list[Strategy] | None:
    """Return the strategy that TF-IDF expects to score best, trained on the other questions.

    Ridge regression of every strategy's score on character 1-4 and word 1-2 grams, cross-validated
    in 5 folds by question: no question is in both parts. Ties go to the earlier strategy.

    Args:
        questions: Text of each question.
        scores: What each strategy scored on it; a missing score takes the strategy's mean.

    Returns:
        A strategy for each question, or None where there are fewer than two different questions.
    """
    # Imported here: it takes two seconds that no other command needs.
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import Ridge
    from sklearn.model_selection import GroupKFold
    from sklearn.pipeline import make_pipeline, make_union

    texts = np.array([" ".join(question.casefold().split()) for question in questions])
    names = [s for s in Strategy if any(row.get(s) is not None for row in scores)]
    known = np.array([[row.get(s) for s in names] for row in scores], dtype=np.float64)
    groups = np.unique(texts, return_inverse=True)[1]
    folds = min(FOLDS, int(groups.max()) + 1)
    if folds < 2:
        return None
    chosen = np.zeros(len(texts), dtype=np.int64)  # (questions,) index into names
    for train, test in GroupKFold(folds).split(texts, groups=groups):
        words = make_union(
            TfidfVectorizer(analyzer="char", ngram_range=(1, 4), sublinear_tf=True),
            TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"\S+"),
        )
        model = make_pipeline(words, Ridge(SHRINKAGE, solver="sparse_cg", random_state=0))
        model.fit(texts[train], _filled(known[train]))
        expected = model.predict(texts[test]).reshape(len(test), len(names))
        chosen[test] = expected.argmax(axis=1)
    return [names[index] for index in chosen]


def _filled(known: np.ndarray) -> np.ndarray:
    """Return scores of shape (questions, strategies) without gaps; no score at all counts as 0."""
    seen = ~np.isnan(known)
    means = np.where(seen, known, 0).sum(axis=0) / np.maximum(seen.sum(axis=0), 1)
    return np.where(seen, known, means)
