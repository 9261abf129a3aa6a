"""Bodies of `/v1/vector_stores/{id}/documents` and `/history`."""

from typing import Literal, Self

from pydantic import Field

from knowledge import Document, DocumentText, DocumentVersion
from service.api.schemas.shapes import AttributeMap, Body, Reply


class InlineDocument(Body):
    """A document as JSON: its text stands in `content`."""

    filename: str = Field(
        min_length=1, max_length=512, description="Its ending says how it is read."
    )
    content: str
    attributes: AttributeMap = Field(
        default_factory=dict, description="At most 16 plain values, for filters."
    )
    access_labels: tuple[str, ...] | None = Field(
        default=None,
        description="A reader must hold one of them; empty: everybody; null: as it is now.",
    )


class DocumentUpload(Body):
    """A document as multipart/form-data: the file, and the rest as JSON in form fields."""

    file: str = Field(json_schema_extra={"format": "binary"}, description="The file itself.")
    attributes: str | None = Field(default=None, description="A JSON object of plain values.")
    access_labels: str | None = Field(default=None, description="A JSON list of text.")
    password: str | None = Field(default=None, description="Opens a locked file; never kept.")


class DocumentReply(Reply):
    """The active version of one document."""

    object: Literal["vector_store.document"] = "vector_store.document"
    document_id: str
    base_id: str
    external_id: str = Field(description="The caller's own name for it.")
    tenant: str
    version: int
    filename: str
    content_hash: str
    attributes: AttributeMap
    created_at: float = Field(description="Unix seconds.")
    updated_at: float = Field(description="Unix seconds.")
    bytes: int
    chars: int
    tokens: int
    chunks: int
    indexed: bool = Field(description="Its vectors are in the vector index.")
    access_labels: list[str] = Field(description="A reader must hold one; empty: everybody.")

    @classmethod
    def of(cls, document: Document) -> Self:
        """Return the reply for a document."""
        return cls.from_value(document, access_labels=document.access)


class DocumentWithText(DocumentReply):
    """One document with its text."""

    text: str

    @classmethod
    def with_text(cls, found: DocumentText) -> Self:
        """Return the reply for a document and its text."""
        return cls.from_value(found.document, access_labels=found.document.access, text=found.text)


class IngestResult(Reply):
    """What became of a document that was added or replaced."""

    knowledge_base: str
    filename: str
    document_id: str
    external_id: str
    version: int
    chunks: int
    unchanged: bool = Field(description="The same content was active already.")
    indexed: bool = Field(description="False: the vectors follow once the index is back.")


class IngestedDocument(IngestResult):
    """A document that is searchable now."""

    object: Literal["vector_store.document"] = "vector_store.document"


class DeletedDocument(Reply):
    """A document that no later answer holds."""

    object: Literal["vector_store.document"] = "vector_store.document"
    knowledge_base: str
    external_id: str
    deleted: Literal[True]


class DocumentVersionReply(Reply):
    """One entry in the history of a document."""

    id: str = Field(description="`document_id@version`.")
    object: Literal["vector_store.document_version"] = "vector_store.document_version"
    version_id: str
    document_id: str
    external_id: str
    version: int
    change: str = Field(description="`added`, `replaced`, `annotated` or `deleted`.")
    changed_at: float = Field(description="Unix seconds at which it came into force.")
    is_active: bool
    replaces: int | None
    replaced_by: int | None
    filename: str
    content_hash: str
    bytes: int
    tokens: int
    chunks: int

    @classmethod
    def of(cls, entry: DocumentVersion) -> Self:
        """Return the reply for an entry."""
        return cls.from_value(entry, id=entry.version_id)
