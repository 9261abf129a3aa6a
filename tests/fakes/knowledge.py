"""A knowledge room that answers what a test lays down, each retriever differently."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from knowledge import BaseId, ChunkId, DocumentId, Knowledge, Passage, Retrieval, RetrieverName


@dataclass(frozen=True)
class Found:
    """What one retriever finds: ids, best first, how relevant, and whether it says "nothing"."""

    ids: tuple[str, ...]
    relevance: float
    is_flagged: bool = False


class CannedKnowledge(Knowledge):
    """Looks up the question under the retrievers that are asked."""

    def __init__(self, found: Mapping[tuple[RetrieverName, ...], Mapping[str, Found]]) -> None:
        self._found = found

    def retrieve(
        self, question: str, *, retrievers: Sequence[RetrieverName] = (), **_: Any
    ) -> Retrieval:
        found = self._found[tuple(retrievers)][question]
        passages = tuple(_passage(name, rank) for rank, name in enumerate(found.ids))
        return Retrieval(
            passages=passages,
            best_relevance=found.relevance,
            relevant_passages=0 if found.is_flagged else len(passages),
            degraded=False,
            retrievers=tuple(retrievers),
            left_out=(),
            query=question,
            language="en",
            relevance_kind="cosine",
            min_relevance=0.4,
        )


def _passage(external_id: str, rank: int) -> Passage:
    return Passage(
        chunk_id=ChunkId(f"chk-{external_id}"),
        knowledge_base=BaseId("canned"),
        document_id=DocumentId(f"doc-{external_id}"),
        external_id=external_id,
        version=1,
        filename=f"{external_id}.md",
        page=None,
        start=0,
        end=1,
        score=1.0 / (rank + 1),
        text="x",
        ordinal=0,
        relevance=0.5,
        is_relevant=True,
        heading="",
        attributes={},
        retrievers=("dense",),
    )
