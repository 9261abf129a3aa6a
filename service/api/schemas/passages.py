"""A passage as every reply shows it: in a search, in citations, in the `passages` event."""

from typing import Self

from pydantic import Field

from knowledge import Passage
from service.api.schemas.shapes import Reply


class PassageReply(Reply):
    """A piece of a document, and where it stands in it."""

    knowledge_base: str
    document_id: str
    version: int
    chunk_id: str
    filename: str
    page: int | None
    start: int = Field(description="First code point in the document's text.")
    end: int = Field(description="The code point after the last.")
    score: float = Field(description="Comparable only within one reply.")
    text: str

    @classmethod
    def of(cls, passage: Passage) -> Self:
        """Return the reply for a passage."""
        return cls.from_value(passage)
