"""Bodies of `/v1/vector_stores/{id}/file_batches`."""

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import Field

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


class NewBatch(Body):
    """Body of `POST /v1/vector_stores/{id}/file_batches`."""

    file_ids: Annotated[tuple[FileId, ...], Field(min_length=1, max_length=MAX_FILES)]
    attributes: AttributeMap | None = Field(
        default=None,
        description="Given to every document of the batch; null: as a document or its text had.",
    )
    access_labels: tuple[str, ...] | None = Field(
        default=None,
        description=(
            "Labels of which a reader needs one; empty: anyone may read; null: those that a "
            "document, or the same text elsewhere in the knowledge base, has or had."
        ),
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


class BatchFile(Reply):
    """A file of a batch, and its status."""

    id: str
    object: Literal["vector_store.file"] = "vector_store.file"
    created_at: int = Field(description="Unix seconds.")
    vector_store_id: str
    external_id: str
    status: BatchStatus
    last_error: FileFault | None
    result: IngestResult | None

    @classmethod
    def of(cls, job: Job) -> Self:
        """Return the reply for the job of one file."""
        args = IngestArgs.read(job.args)
        return cls(
            id=args.file_id or "",
            created_at=int(job.created_at),
            vector_store_id=args.base_id,
            external_id=args.external_id,
            status=_STATUS[job.status],
            last_error=FileFault.model_validate(job.error) if job.error else None,
            result=None if job.result is None else IngestResult.model_validate(job.result),
        )
