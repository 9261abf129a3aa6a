"""Bodies of `/v1/vector_stores/{id}/documents`."""

from typing import Literal, Self

from pydantic import Field

from knowledge import Document, DocumentText
from service.api.schemas.shapes import AttributeMap, Body, Reply

MAX_SOURCE_CHARS = 4_352  # a path of Linux (4,096) and the name of its host (255)


class InlineDocument(Body):
    """A document as JSON, with its text in `content`."""

    filename: str = Field(
        min_length=1, max_length=512, description="The suffix decides how the file is read."
    )
    content: str
    attributes: AttributeMap | None = Field(
        default=None,
        description="At most 16 scalar values, for filters; null: as the document or text had.",
    )
    access_labels: tuple[str, ...] | None = Field(
        default=None,
        description=(
            "Labels of which a reader needs one; empty: anyone may read; null: those that the "
            "document, or the same text elsewhere in the knowledge base, has or had."
        ),
    )

    synced_from: str = Field(
        default="",
        max_length=MAX_SOURCE_CHARS,
        description="The folder whose sync sends it (`/syncs`); empty: none does.",
    )


class DocumentUpload(Body):
    """A document as multipart/form-data: the file, and the rest as JSON in form fields."""

    file: str = Field(json_schema_extra={"format": "binary"}, description="The file.")
    attributes: str | None = Field(default=None, description="A JSON object of scalar values.")
    access_labels: str | None = Field(default=None, description="A JSON list of strings.")
    password: str | None = Field(
        default=None, description="Password of a protected file; never stored."
    )
    synced_from: str = Field(
        default="", description="The folder whose sync sends it (`/syncs`); empty: none does."
    )
    encoding: str | None = Field(
        default=None,
        description=(
            "Encoding of a text, table, page or JSON file: utf-8, gb18030, big5, shift_jis, "
            "cp1252, utf-16 and so on; null: detected. `encoding` of the reply says what was read."
        ),
    )


class NotReadPart(Reply):
    """A part of a file that was not read."""

    what: str
    where: str
    why: str


class DocumentReply(Reply):
    """The active version of one document."""

    object: Literal["vector_store.document"] = "vector_store.document"
    document_id: str
    base_id: str
    external_id: str = Field(description="The caller's own id of the document.")
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
    indexed: bool = Field(description="Whether its vectors are in the vector index.")
    encoding: str = Field(description="In which its text was read.")
    left_out: list[NotReadPart] = Field(description="What of the file was not read, and why.")
    is_outdated: bool = Field(
        description=(
            "Whether it was read in another way, by an earlier release or another `ocr` of the "
            "base: send the file again."
        )
    )
    access_labels: list[str] = Field(
        description="Labels of which a reader needs one; empty: anyone may read."
    )
    synced_from: str | None = Field(
        description=(
            "The folder whose sync wrote it (`/syncs`), which alone deletes it; empty: no sync "
            "did; null: from before that was recorded."
        )
    )

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
    """The result of adding or replacing a document."""

    knowledge_base: str
    filename: str
    document_id: str
    external_id: str
    version: int
    chunks: int
    unchanged: bool = Field(description="Whether the same content was already active.")
    indexed: bool = Field(
        description="False: the vectors are added once the index is available again."
    )
    encoding: str = Field(default="", description="In which its text was read.")
    left_out: list[NotReadPart] = Field(
        default_factory=list, description="What of the file was not read, and why."
    )
    access_labels: list[str] = Field(
        default_factory=list,
        description="Labels of which a reader needs one; empty: anyone may read.",
    )


class IngestedDocument(IngestResult):
    """A document that is searchable now."""

    object: Literal["vector_store.document"] = "vector_store.document"


class DeletedDocument(Reply):
    """A deleted document."""

    object: Literal["vector_store.document"] = "vector_store.document"
    knowledge_base: str
    external_id: str
    deleted: Literal[True]
