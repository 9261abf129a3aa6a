"""Bodies of `/v1/vector_stores`: knowledge bases, and the state of their index."""

from typing import Literal, Self

from pydantic import Field

from knowledge import (
    MOST_KEPT,
    Chunking,
    IndexCheck,
    KnowledgeBase,
    KnowledgeFacts,
    Ocr,
    ReconcileReport,
)
from service.api.schemas.shapes import Body, Reply
from service.stores.use_cases import ID_PATTERN

OCR = (
    "Text recognition in PDFs and pictures: `auto` for pages without text, `always` for all pages, "
    "or `never`."
)


class NewBase(Body):
    """Body of `POST /v1/vector_stores`."""

    name: str = Field(min_length=1, max_length=256)
    id: str | None = Field(
        default=None, pattern=ID_PATTERN, description="Id; generated if it is left out."
    )
    chunking: Chunking | None = Field(
        default=None, description="How its documents are chunked; null: as configured."
    )
    keep_versions: int = Field(
        default=0,
        ge=0,
        le=MOST_KEPT,
        description="How many replaced contents of a document keep their text.",
    )
    ocr: Ocr = Field(default="auto", description=OCR)


class BaseChange(Body):
    """Body of `POST /v1/vector_stores/{base_id}`: what is left out stays as it is."""

    ocr: Ocr | None = Field(default=None, description=f"{OCR} Applies to documents sent later.")
    keep_versions: int | None = Field(
        default=None,
        ge=0,
        le=MOST_KEPT,
        description=(
            "How many replaced contents of a document keep their text from now on; the texts of "
            "more are deleted at once."
        ),
    )


class VectorStore(Reply):
    """A knowledge base."""

    id: str
    object: Literal["vector_store"] = "vector_store"
    name: str
    created_at: int = Field(description="Unix seconds.")
    documents: int
    chunks: int
    usage_bytes: int = Field(description="Size of the stored text in bytes.")
    chunking: Chunking | None = Field(description="Chunking of this base; null: as configured.")
    keep_versions: int = Field(
        description="How many replaced contents of a document keep their text."
    )
    ocr: Ocr = Field(description=OCR)
    status: Literal["completed"] = "completed"

    @classmethod
    def of(cls, base: KnowledgeBase) -> Self:
        """Return the reply for a knowledge base."""
        return cls.from_value(base, **_renamed(base))


class Measured(Reply):
    """The figures behind the router's facts about a knowledge base."""

    tokens: int = Field(description="Tokens of the live text; overlaps count once.")
    changes_per_week: float = Field(description="Number of replaced and deleted documents.")
    chunk_changes_per_week: float
    window_weeks: float = Field(description="Period over which the rates are computed.")
    age_days: float | None = Field(description="Time since the first document was added.")
    unchanged_days: float | None = Field(description="Time since the last change.")
    last_change_at: float | None = Field(description="Unix seconds.")


class MeasuredVectorStore(VectorStore):
    """A knowledge base with its measured figures."""

    measured: Measured

    @classmethod
    def measured_as(cls, base: KnowledgeBase, facts: KnowledgeFacts) -> Self:
        """Return the reply for a knowledge base and its facts."""
        return cls.from_value(base, **_renamed(base), measured=facts)


class VectorStoreDeleted(Reply):
    """A deleted knowledge base."""

    id: str
    object: Literal["vector_store.deleted"] = "vector_store.deleted"
    deleted: Literal[True] = True


class IndexChecked(Reply):
    """What reconcile would repair in one knowledge base."""

    object: Literal["index_check"] = "index_check"
    in_step: bool = Field(description="Whether there is nothing to repair.")
    documents: int
    chunks: int
    orphans: int = Field(description="Vectors of chunks that the database no longer holds.")
    missing: int = Field(description="Live chunks without a vector.")
    unfinished: int = Field(description="Versions of unfinished ingests.")
    removed: int = Field(description="Vectors deleted from this generation of the index.")
    wants_rebuild: bool
    generation: int
    collection_lost: bool
    embedding_model: str
    embedding_revision: str
    dimension: int
    embedder_fits: bool = Field(description="A configured embedder made the vectors.")
    wants_reindex: bool = Field(
        description="Whether another embedder than the next one made the vectors."
    )
    available: bool = Field(description="False: the vector index did not respond.")
    detail: str

    @classmethod
    def of(cls, found: IndexCheck) -> Self:
        """Return the reply for a check."""
        return cls.from_value(found)


class Reconciled(Reply):
    """What reconcile did to the vector index."""

    object: Literal["reconcile_report"] = "reconcile_report"
    orphans_removed: int
    missing_added: int
    stale_collected: int
    collections_rebuilt: int
    collections_dropped: int
    available: bool = Field(
        description="False: the vector index was unavailable, nothing was done."
    )

    @classmethod
    def of(cls, report: ReconcileReport) -> Self:
        """Return the reply for a report."""
        return cls.from_value(report)


def _renamed(base: KnowledgeBase) -> dict[str, str | int]:
    return {
        "id": base.base_id,
        "created_at": int(base.created_at),
        "usage_bytes": base.text_bytes,
    }
