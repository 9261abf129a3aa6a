"""Bodies of `/v1/vector_stores/{id}/history`, `/version`, `/diff`, `/rollback` and `/stale`."""

from typing import Literal, Self

from pydantic import Field

from knowledge import DocumentVersion, StaleDocument, VersionDiff, VersionText
from service.api.schemas.shapes import Body, ListReply, Reply


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
    restores: int | None = Field(description="Version whose text it took back.")
    has_text: bool = Field(description="Whether its text is stored: it can be compared.")

    @classmethod
    def of(cls, entry: DocumentVersion) -> Self:
        """Return the reply for an entry."""
        return cls.from_value(entry, id=entry.version_id)


class VersionTextReply(Reply):
    """The text of one version of a document."""

    object: Literal["vector_store.document_version.text"] = "vector_store.document_version.text"
    knowledge_base: str
    external_id: str
    version: int
    is_active: bool
    changed_at: float = Field(description="Unix seconds at which it came into force.")
    text: str

    @classmethod
    def of(cls, base_id: str, found: VersionText) -> Self:
        """Return the reply for a text."""
        return cls.from_value(found, knowledge_base=base_id)


class VersionDiffReply(Reply):
    """How the texts of two versions of a document differ."""

    object: Literal["vector_store.document_version.diff"] = "vector_store.document_version.diff"
    knowledge_base: str
    external_id: str
    old: int
    new: int
    differs: bool
    diff: str = Field(description="A unified diff; empty where the texts are equal.")

    @classmethod
    def of(cls, base_id: str, found: VersionDiff) -> Self:
        """Return the reply for a diff."""
        lines = "".join(f"{line}\n" for line in found.lines)
        differs = bool(found.lines)
        return cls.from_value(found, knowledge_base=base_id, differs=differs, diff=lines)


class Rollback(Body):
    """Body of `POST /v1/vector_stores/{id}/rollback`."""

    document: str = Field(min_length=1, description="Its `external_id` or document id.")
    version: int = Field(ge=1, description="The version whose text is taken back.")


class StaleDocumentReply(Reply):
    """A document that was neither changed nor cited for some time."""

    id: str
    object: Literal["vector_store.stale_document"] = "vector_store.stale_document"
    document_id: str
    external_id: str
    filename: str
    changed_at: float = Field(description="Unix seconds at which its content last changed.")
    cited_at: float | None = Field(
        description="Unix seconds, to the hour, at which an answer last cited it; null: never."
    )
    access_labels: list[str]

    @classmethod
    def of(cls, found: StaleDocument) -> Self:
        """Return the reply for a document."""
        return cls.from_value(found, id=found.document_id, access_labels=found.access)


class StaleReply(ListReply[StaleDocumentReply]):
    """A page of stale documents."""

    citations_since: float = Field(
        description="Unix seconds from which on citations were noted; earlier ones are not known."
    )
