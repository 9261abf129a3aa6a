"""Passages as the knowledge room hands them on, without a store."""

from typing import Any

from knowledge import Passage
from knowledge.types import BaseId, ChunkId, DocumentId


def passage(text: str, **fields: Any) -> Passage:
    """Return a passage with `text`; every other field has a plain default."""
    document = fields.pop("document", "doc_a")
    ordinal = fields.pop("ordinal", 0)
    values: dict[str, Any] = {
        "chunk_id": ChunkId(f"{document}_{ordinal}"),
        "knowledge_base": BaseId("handbook"),
        "document_id": DocumentId(document),
        "external_id": f"{document}.md",
        "version": 1,
        "filename": f"{document}.md",
        "page": None,
        "start": 0,
        "end": len(text),
        "score": 0.5,
        "ordinal": ordinal,
        "relevance": 0.8,
        "is_relevant": True,
        "heading": "",
        "attributes": {},
        "retrievers": ("lexical",),
    }
    return Passage(text=text, **{**values, **fields})
