"""Keeps rows near to a domain, by the cosine of their vectors: to a description, or to other rows.

Which cosine is near depends on the embedder: the minimum comes with the description, or from the
rows of the domain themselves. What embeds is passed in.
"""

import random
from collections.abc import Mapping, Sequence
from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from adapters.data.filters.threshold import ScoreFilter, Threshold
from adapters.data.relevance import MAX_CHARS, Domain, Embed, said_in
from adapters.data.rows import Row, hash_rows
from adapters.errors import InvalidRowFilter

NAME = "similarity"
# An embedder puts texts of like length together: the more it is given at once, the less padding.
WINDOW = 2_048
MIN_LIKE = 10  # rows of a domain: fewer say little about where it ends
MAX_LIKE = 300
# Of rows like the domain's that go on: own choice, as many as a hand-made list of a domain has
# doubtful ones.
KEPT_SHARE = 0.95


class SimilaritySettings(BaseModel):
    """What rows are compared with.

    Attributes:
        domain: What they should be about, in a sentence or two; empty where rows of the domain are
            given instead, which tell it better.
        min_similarity: Cosine from which a row goes on. None takes the embedder's own minimum, or
            that which `KEPT_SHARE` of the domain's rows reach.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    domain: str = ""
    min_similarity: Annotated[float, Field(ge=-1, le=1)] | None = None


def filter_by_similarity(domain: Domain, *, embedder_id: str) -> ScoreFilter:
    """Return the filter that keeps rows near to a description; system turns do not count.

    Args:
        domain: The description, what embeds, and the minimum with its source.
        embedder_id: What identifies the embedder.
    """
    (described,) = domain.embed([domain.description])
    threshold = Threshold(NAME, domain.min_similarity, True, "far_from_domain", domain.source)
    compared = {"domain": domain.description, "embedder": embedder_id}
    return _compare_with(described, domain.embed, threshold, compared)


def filter_by_likeness(
    like: Sequence[Row],
    embed: Embed,
    *,
    embedder_id: str,
    min_similarity: float | None = None,
) -> ScoreFilter:
    """Return the filter that keeps rows near to the mean of others; system turns do not count.

    Args:
        like: Rows known to belong to the domain, at least `MIN_LIKE`; `MAX_LIKE` are read.
        embed: Turns texts into vectors.
        embedder_id: What identifies the embedder.
        min_similarity: Cosine from which a row goes on; None takes that which `KEPT_SHARE` of the
            rows have to the mean of the others.

    Raises:
        InvalidRowFilter: There are too few rows.
    """
    if len(like) < MIN_LIKE:
        raise InvalidRowFilter(
            f"{MIN_LIKE} rows of the domain are needed to compare with, and there are {len(like)}"
        )
    chosen = random.Random(0).sample(like, min(len(like), MAX_LIKE))
    vectors = _embed(embed, chosen)
    limit, source = min_similarity, "as set"
    if limit is None:
        others = vectors.sum(axis=0) - vectors
        own = (vectors * others).sum(axis=1) / np.linalg.norm(others, axis=1)
        limit = float(np.quantile(own, 1 - KEPT_SHARE))
        source = f"{KEPT_SHARE:.0%} of {len(chosen)} rows of the domain reach it"
    mean = vectors.sum(axis=0)
    threshold = Threshold(NAME, limit, True, "far_from_domain", source)
    compared = {"domain": hash_rows(chosen), "embedder": embedder_id}
    return _compare_with(mean / np.linalg.norm(mean), embed, threshold, compared)


def _compare_with(
    vector: npt.NDArray[np.float32],
    embed: Embed,
    threshold: Threshold,
    settings: Mapping[str, object],
) -> ScoreFilter:
    def measure(rows: Sequence[Row]) -> list[float]:
        cosines: list[float] = (_embed(embed, rows) @ vector).tolist()  # (n_rows,) -1..1
        return cosines

    return ScoreFilter(NAME, threshold, measure, settings=settings, window=WINDOW)


def _embed(embed: Embed, rows: Sequence[Row]) -> npt.NDArray[np.float32]:
    return embed([said_in(row)[:MAX_CHARS] for row in rows])
