"""Keeps rows near to a description of the domain, by the cosine of their vectors.

Which cosine is near depends on the embedder, so the minimum comes with the domain.
"""

from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from adapters.data.filters.threshold import ScoreFilter, Threshold
from adapters.data.relevance import MAX_CHARS, Domain, said_in
from adapters.data.rows import Row

NAME = "similarity"
# An embedder puts texts of like length together: the more it is given at once, the less padding.
WINDOW = 2_048


class SimilaritySettings(BaseModel):
    """What rows are compared with.

    Attributes:
        domain: What they should be about, in a sentence or two.
        min_similarity: Cosine from which a row goes on; None takes the embedder's own minimum.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    domain: Annotated[str, Field(pattern=r"\S")]
    min_similarity: Annotated[float, Field(ge=-1, le=1)] | None = None


def filter_by_similarity(domain: Domain, *, embedder_id: str) -> ScoreFilter:
    """Return the filter that keeps rows near to the domain; system turns do not count.

    Args:
        domain: The description, what embeds, and the minimum with its source.
        embedder_id: What identifies the embedder.
    """
    (described,) = domain.embed([domain.description])

    def measure(rows: Sequence[Row]) -> list[float]:
        vectors = domain.embed([said_in(row)[:MAX_CHARS] for row in rows])
        cosines: list[float] = (vectors @ described).tolist()  # (n_rows,) -1..1
        return cosines

    threshold = Threshold(NAME, domain.min_similarity, True, "far_from_domain", domain.source)
    settings = {"domain": domain.description, "embedder": embedder_id}
    return ScoreFilter(NAME, threshold, measure, settings=settings, window=WINDOW)
