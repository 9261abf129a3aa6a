"""The bodies of `/v1/files`, OpenAI-compatible."""

from collections.abc import Mapping
from typing import Literal, Self

from service.api.schemas.data_checks import CheckReport
from service.api.schemas.jobs import JobErrorReply
from service.api.schemas.shapes import Reply
from service.stores.files import UploadedFile
from service.stores.jobs import Job, Status

_STATUS: Mapping[Status, Literal["processed", "error"]] = {
    Status.SUCCEEDED: "processed",
    Status.CANCELLED: "processed",
    Status.FAILED: "error",
}


class FileCheckReply(Reply):
    """The check of a file's rows.

    Attributes:
        job: Id of the job that makes it.
        status: Of that job.
        report: What it found; null until then.
    """

    job: str
    status: Status
    report: CheckReport | None


class FileReply(Reply):
    """An uploaded file without its content; `created_at` is in whole unix seconds.

    Attributes:
        status: `uploaded` until its training rows are checked, then `processed`; `error` where
            they cannot be read.
        status_details: Why they cannot be read.
        check: The check of its training rows; null for other files.
    """

    id: str
    object: Literal["file"] = "file"
    bytes: int
    created_at: int
    filename: str
    purpose: str
    status: Literal["uploaded", "processed", "error"] = "processed"
    status_details: str | None = None
    sha256: str
    check: FileCheckReply | None = None

    @classmethod
    def of(cls, file: UploadedFile, job: Job | None = None) -> Self:
        """Return a file as OpenAI's clients read it, with the job that checks it, if any."""
        error = None if job is None else job.error
        return cls(
            id=file.file_id,
            bytes=file.bytes,
            created_at=int(file.created_at),
            filename=file.filename,
            purpose=file.purpose,
            status="processed" if job is None else _STATUS.get(job.status, "uploaded"),
            status_details=None if error is None else JobErrorReply.stored(error).message,
            sha256=file.sha256,
            check=None if job is None else _check_of(file, job),
        )


def _check_of(file: UploadedFile, job: Job) -> FileCheckReply:
    found = file.check_report
    report = None if found is None else CheckReport.model_validate(found)
    return FileCheckReply(job=job.job_id, status=job.status, report=report)


class DeletedFileReply(Reply):
    """An uploaded file that is gone; documents and adapters made of it stay."""

    id: str
    object: Literal["file"] = "file"
    deleted: Literal[True] = True
