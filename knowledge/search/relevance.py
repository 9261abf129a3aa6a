"""How likely is it that a passage answers the question at all? One scale, 0 to 1.

It knows cosines, shares of words and the numbers fitted for them; it does not know where they
come from. What is judged is "is this collection about the question", not "who is first": that
is the fused rank. One floor serves all forms (`KnowledgeConfig.min_relevance`).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from knowledge.types import RelevanceKind


@dataclass(frozen=True, slots=True)
class Weights:
    """A logistic function of one passage's cosine and of the shares of the words that are found."""

    cosine: float
    coverage: float
    together: float
    bias: float

    def judge(self, cosine: float, coverage: float, together: float) -> float:
        """Return the relevance, 0 to 1; it grows with each argument."""
        words = self.coverage * coverage + self.together * together
        return 1.0 / (1.0 + math.exp(-(self.cosine * cosine + words + self.bias)))


WEIGHTS: Mapping[RelevanceKind, Weights] = {
    "cosine_and_coverage": Weights(22.0, 2.0, 2.5, -12.3),
    "cosine": Weights(22.0, 0.0, 0.0, -9.9),
    "coverage": Weights(0.0, 19.5, 0.0, -4.8),
}
"""For MiniLM. The ratio of cosine to words was chosen on the developers' questions of rag_en,
rag_en_multihop and support_en, each asked of its own corpus and of another: 0 to 6 for the
passage's words, 0 to 5 for those of three or five passages together; 2 and 2.5 let one floor serve
all. The slopes are those of scikit-learn's `LogisticRegression` (C = 100, classes and sources
weighted alike), the biases put the shipped floor where 2 to 4 % of the answerable questions lie
below (cosine alone: 4 % of rag_en at 0.5; words alone: of rag_zh). `fingerpost kb eval` checks
them on other questions and prints the floor that these need."""


def relevance(
    cosine: float | None, coverage: float | None, together: float = 0.0, *, reads_passage: bool
) -> float:
    """Return how relevant a passage is, 0 to 1.

    Args:
        cosine: Of question and passage, -1 to 1; None where no vector reads the question.
        coverage: Share of the question's information that the passage holds, 0 to 1; None where
            words were not searched.
        together: Share of it that the best passages hold between them, 0 to 1: a question that
            needs several passages is near none of them.
        reads_passage: Whether the embedder reads the passage's language. A vector of a text it
            does not read can only take away: names alone make a cosine.
    """
    kind = kind_of(cosine is not None, coverage is not None)
    judged = WEIGHTS[kind].judge(cosine or 0.0, coverage or 0.0, together)
    if reads_passage or kind != "cosine_and_coverage":
        return judged
    return min(judged, WEIGHTS["coverage"].judge(0.0, coverage or 0.0, together))


def kind_of(has_cosine: bool, has_coverage: bool) -> RelevanceKind:
    """Return what relevance was judged by."""
    if has_cosine:
        return "cosine_and_coverage" if has_coverage else "cosine"
    return "coverage"
