"""Which passages are shown to the model."""

from dataclasses import replace

import pytest

from knowledge import BaseId, ChunkId, DocumentId, Passage
from service.chat.evidence import passages_to_show

PASSAGE = Passage(
    chunk_id=ChunkId("c"),
    knowledge_base=BaseId("b"),
    document_id=DocumentId("d"),
    external_id="e",
    version=1,
    filename="e.md",
    page=None,
    start=0,
    end=1,
    score=1.0,
    text="t",
    ordinal=0,
    relevance=0.0,
    is_relevant=False,
    heading="",
    attributes={},
    retrievers=("dense",),
)


@pytest.mark.parametrize(
    ("above", "shown"),
    [
        ([True, True, False, False], 2),
        ([False, True, False], 2),  # what ranks first is not held back
        ([False, False, True], 3),
        ([True], 1),
        ([False, False], 2),  # none reaches it, and the policy answers all the same
        ([], 0),
    ],
)
def test_passages_are_shown_down_to_the_last_relevant_one(above: list[bool], shown: int) -> None:
    passages = [
        replace(PASSAGE, ordinal=place, is_relevant=reaches) for place, reaches in enumerate(above)
    ]
    assert passages_to_show(passages) == passages[:shown]
