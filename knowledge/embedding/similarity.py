"""What the cosines of an embedder say: no two models put related texts at the same one.

MiniLM gives unrelated texts 0.04 and related ones 0.65, multilingual-e5-small 0.74 and 0.86, in
Chinese 0.82 and 0.90, across languages 0.72 and 0.80. So a cosine is told as nearness on one scale,
by what the model itself makes of `examples`. Knows vectors, not where they come from.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt

from knowledge.embedding.examples import EXAMPLES
from knowledge.languages import reads

Vectors = npt.NDArray[np.float32]

OWN_SHARE = 0.5
"""How much of what a question is nearer to all texts than other questions is taken off: a long
question, or one joined with a conversation, is nearer to everything. "Nothing relevant" with e5 at
5 % of the answerable questions: with none of it 20 to 35 % of the foreign questions of rag_en and
multihop are missed, with all of it a third of the answerable ones of support_en; 0.3 and 0.5 pass
on all four corpora."""


LEAST = 1e-3  # cosine: of a model that tells nothing apart


class Embeds(Protocol):
    """What is measured."""

    @property
    def languages(self) -> frozenset[str]:
        """ISO 639-1 codes it reads, or `*`."""

    def embed_query(self, text: str) -> Vectors:
        """Return the vector of a question: (d,) float32, L2-normalised."""

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors of passages: (n, d) float32, L2-normalised."""


@dataclass(frozen=True, slots=True)
class Similarity:
    """How near unrelated and related texts lie, as measured.

    Attributes:
        passages: The examples' answers by language: (n, d) float32.
        unrelated: Mean cosine and its deviation, by the languages of question and passage.
        related: How much more related texts of a language have than unrelated ones (cosine).
    """

    passages: Mapping[str, Vectors]
    unrelated: Mapping[tuple[str, str], tuple[float, float]]
    related: Mapping[str, float]

    @classmethod
    def measured(cls, embedder: Embeds) -> Self:
        """Embed the examples in the languages that the embedder reads; takes half a second."""
        read = [name for name in EXAMPLES if reads(embedder.languages, name)] or list(EXAMPLES)[:1]
        asked = {
            name: np.stack([embedder.embed_query(question) for question, _ in EXAMPLES[name]])
            for name in read
        }
        told = {
            name: embedder.embed_passages([text for _, text in EXAMPLES[name]]) for name in read
        }
        cosines = {(one, other): asked[one] @ told[other].T for one in read for other in read}
        unrelated = {pair: _unrelated(found) for pair, found in cosines.items()}
        related = {
            name: float(cosines[name, name].diagonal().mean()) - unrelated[name, name][0]
            for name in read
        }
        return cls(passages=told, unrelated=unrelated, related=related)

    def nearness(self, vector: Vectors, cosine: float, *, of: str, to: str) -> float:
        """Return how near a passage is: 0 as unrelated texts rarely are, 1 as related ones are.

        Across languages the larger unit of the two counts: there related texts lie less apart.

        Args:
            vector: Of the question: (d,) float32, L2-normalised.
            cosine: Of question and passage, -1 to 1.
            of: Language of the question, ISO 639-1.
            to: Language of the passage.
        """
        asked, told = self._known(of), self._known(to)
        usual, deviation = self.unrelated[asked, told]
        own = float((self.passages[told] @ vector).mean()) - usual
        rare = usual + OWN_SHARE * own + deviation
        return (cosine - rare) / max(self._unit(asked), self._unit(told))

    def lead(self, better: float, worse: float, *, language: str) -> float:
        """Return by how much one cosine is above another, 1 as related is above unrelated."""
        return (better - worse) / max(self.related[self._known(language)], LEAST)

    def _unit(self, language: str) -> float:
        """Return what lies between texts that are rarely unrelated and related ones (cosine)."""
        return max(self.related[language] - self.unrelated[language, language][1], LEAST)

    def _known(self, language: str) -> str:
        return language if language in self.passages else next(iter(self.passages))


def _unrelated(cosines: Vectors) -> tuple[float, float]:
    """Return mean and deviation of all but the diagonal."""
    others = cosines[~np.eye(len(cosines), dtype=bool)]
    return float(others.mean()), float(others.std())
