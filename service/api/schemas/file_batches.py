"""Bodies of `/v1/vector_stores/{id}/files` and `/v1/vector_stores/{id}/file_batches`."""

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from knowledge import Chunking, Document
from service.api.schemas.documents import IngestResult
from service.api.schemas.shapes import AttributeMap, Body, Reply
from service.stores.job_kinds import IngestArgs
from service.stores.jobs import Job, Status

MAX_FILES = 500  # OpenAI's limit of a batch when its client was written
BatchStatus = Literal["in_progress", "completed", "failed", "cancelled"]
FileId = Annotated[str, Field(min_length=1, max_length=64)]
_STATUS: dict[Status, BatchStatus] = {
    Status.QUEUED: "in_progress",
    Status.RUNNING: "in_progress",
    Status.SUCCEEDED: "completed",
    Status.FAILED: "failed",
    Status.CANCELLED: "cancelled",
}


class StaticChunking(Body):
    """Sizes of chunks, in tokens."""

    max_chunk_size_tokens: int
    chunk_overlap_tokens: int


class ChunkingWish(Body):
    """OpenAI's `chunking_strategy`: `auto`, or sizes that are those of the vector store."""

    type: Literal["auto", "static"]
    static: StaticChunking | None = None


class NewFile(Body):
    """Body of `POST /v1/vector_stores/{id}/files`, and one of the `files` of a batch."""

    file_id: FileId
    attributes: AttributeMap | None = Field(
        default=None,
        description="Given to its document; null: as the document or its text had.",
    )
    chunking_strategy: ChunkingWish | None = None


class FileChange(Body):
    """Body of `POST /v1/vector_stores/{id}/files/{file_id}`."""

    attributes: AttributeMap | None = Field(
        description="In place of those that the document has; null: none."
    )


class NewBatch(Body):
    """Body of `POST /v1/vector_stores/{id}/file_batches`: either `file_ids` or `files`."""

    file_ids: Annotated[tuple[FileId, ...], Field(min_length=1, max_length=MAX_FILES)] | None = None
    files: Annotated[tuple[NewFile, ...], Field(min_length=1, max_length=MAX_FILES)] | None = Field(
        default=None, description="Files with attributes of their own."
    )
    attributes: AttributeMap | None = Field(
        default=None,
        description=(
            "Given to every document of the batch that has none of its own; null: as a document "
            "or its text had."
        ),
    )
    chunking_strategy: ChunkingWish | None = None
    access_labels: tuple[str, ...] | None = Field(
        default=None,
        description=(
            "Labels of which a reader needs one; empty: anyone may read; null: those that a "
            "document, or the same text elsewhere in the knowledge base, has or had."
        ),
    )

    @model_validator(mode="after")
    def _names_files_once(self) -> Self:
        if (self.file_ids is None) == (self.files is None):
            raise ValueError("send either file_ids or files")
        return self

    @property
    def new_files(self) -> tuple[NewFile, ...]:
        """What each file is to be added with; an id that stands twice in `file_ids` counts once."""
        files = self.files or tuple(
            NewFile(file_id=file_id) for file_id in dict.fromkeys(self.file_ids or ())
        )
        common = {
            "attributes": self.attributes,
            "chunking_strategy": self.chunking_strategy,
        }
        return tuple(
            file.model_copy(
                update={key: value for key, value in common.items() if getattr(file, key) is None}
            )
            for file in files
        )


class FileCounts(Reply):
    """Number of files of a batch by status."""

    in_progress: int
    completed: int
    failed: int
    cancelled: int
    total: int


class FileBatch(Reply):
    """Files that are added as documents together."""

    id: str
    object: Literal["vector_store.files_batch"] = "vector_store.files_batch"
    created_at: int = Field(description="Unix seconds.")
    vector_store_id: str
    status: BatchStatus
    file_counts: FileCounts

    @classmethod
    def of(cls, batch_id: str, jobs: Sequence[Job]) -> Self:
        """Return the reply for a batch; its jobs are at least one."""
        counts = Counter(_STATUS[job.status] for job in jobs)
        status: BatchStatus = "in_progress" if counts["in_progress"] else "completed"
        if status == "completed" and counts["cancelled"]:
            status = "cancelled"
        return cls(
            id=batch_id,
            created_at=int(jobs[0].created_at),
            vector_store_id=IngestArgs.read(jobs[0].args).base_id,
            status=status,
            file_counts=FileCounts(
                in_progress=counts["in_progress"],
                completed=counts["completed"],
                failed=counts["failed"],
                cancelled=counts["cancelled"],
                total=len(jobs),
            ),
        )


class FileFault(Reply):
    """Why a file was not added."""

    code: str | None = None
    message: str | None = None


class StaticChunkingReply(Reply):
    """Sizes of chunks, in the embedder's tokens."""

    max_chunk_size_tokens: int
    chunk_overlap_tokens: int


class FileChunking(Reply):
    """How the documents of a vector store are cut, as far as OpenAI's form can say it."""

    type: Literal["static", "other"]
    static: StaticChunkingReply | None = None

    @classmethod
    def of(cls, chunking: Chunking) -> Self:
        """Return the reply for the chunking of a knowledge base."""
        if chunking.strategy == "parent_child":
            return cls(type="other")
        sizes = StaticChunkingReply(
            max_chunk_size_tokens=chunking.chunk_tokens,
            chunk_overlap_tokens=chunking.overlap_tokens,
        )
        return cls(type="static", static=sizes)


class VectorStoreFile(Reply):
    """A file of a vector store: a document under OpenAI's name for it."""

    id: str = Field(description="Of the uploaded file; of the document where none was uploaded.")
    object: Literal["vector_store.file"] = "vector_store.file"
    created_at: int = Field(description="Unix seconds.")
    vector_store_id: str
    external_id: str
    status: BatchStatus
    usage_bytes: int = Field(description="Size of the file; 0 until it is added.")
    last_error: FileFault | None
    attributes: AttributeMap | None
    chunking_strategy: FileChunking

    @classmethod
    def of_document(cls, document: Document, chunking: Chunking, *, file_id: str) -> Self:
        """Return the reply for what is in the vector store."""
        return cls(
            id=file_id,
            created_at=int(document.created_at),
            vector_store_id=document.base_id,
            external_id=document.external_id,
            status="completed",
            usage_bytes=document.bytes,
            last_error=None,
            attributes=dict(document.attributes),
            chunking_strategy=FileChunking.of(chunking),
        )

    @classmethod
    def of_job(cls, job: Job, chunking: Chunking) -> Self:
        """Return the reply for a file that is not in the vector store yet, or failed to be."""
        return cls.model_validate(_fields_of(job, chunking))


class DeletedFile(Reply):
    """A file taken out of a vector store; the uploaded file stays."""

    id: str
    object: Literal["vector_store.file.deleted"] = "vector_store.file.deleted"
    deleted: Literal[True] = True


class FileText(Reply):
    """A part of the text of a file."""

    type: Literal["text"] = "text"
    text: str


class FileContent(Reply):
    """The text of a file as it was read, in one part."""

    object: Literal["vector_store.file_content.page"] = "vector_store.file_content.page"
    data: list[FileText]
    has_more: Literal[False] = False
    next_page: None = None


class BatchFile(VectorStoreFile):
    """A file of a batch, and what became of it."""

    result: IngestResult | None

    @classmethod
    def of_batch(cls, job: Job, chunking: Chunking, *, file_bytes: int) -> Self:
        """Return the reply for the job of one file."""
        result = None if job.result is None else IngestResult.model_validate(job.result)
        fields = _fields_of(job, chunking)
        return cls.model_validate({**fields, "result": result, "usage_bytes": file_bytes})


def _fields_of(job: Job, chunking: Chunking) -> dict[str, object]:
    args = IngestArgs.read(job.args)
    return {
        "id": args.file_id or "",
        "created_at": int(job.created_at),
        "vector_store_id": args.base_id,
        "external_id": args.external_id,
        "status": status_of_job(job),
        "usage_bytes": 0,
        "last_error": FileFault.model_validate(job.error) if job.error else None,
        "attributes": args.attributes,
        "chunking_strategy": FileChunking.of(chunking),
    }


def status_of_job(job: Job) -> BatchStatus:
    """Return the status of a job under OpenAI's names."""
    return _STATUS[job.status]
