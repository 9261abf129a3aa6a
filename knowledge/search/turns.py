"""What was found for each question of a message, put together in turns.

It knows ranks, and which texts are the same; it does not know how anything was found.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest

from knowledge.search.dense import DenseList
from knowledge.search.passages import FoundRow, distinct_rows
from knowledge.types import RetrieverName


@dataclass(frozen=True, slots=True)
class Found:
    """What one question brought.

    Attributes:
        text: What was searched for.
        best: The chunks, best first.
    """

    text: str
    dense: Sequence[DenseList]
    rows: Mapping[int, FoundRow]
    best: tuple[int, ...]
    relevance: Mapping[int, float]
    scores: Mapping[int, float]
    retrievers: Mapping[int, tuple[RetrieverName, ...]]


def in_turns(rankings: Sequence[Sequence[int]], rows: Mapping[int, FoundRow]) -> list[int]:
    """Return each question's best chunk, then each one's second, and so on, without repetitions."""
    turns = chain.from_iterable(zip_longest(*rankings))
    order = [pk for pk in dict.fromkeys(turns) if pk is not None]
    return list(distinct_rows(rows, order, len(order)))
