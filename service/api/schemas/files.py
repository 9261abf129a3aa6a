"""The bodies of `/v1/files`, OpenAI-compatible."""

from typing import Literal, Self

from service.api.schemas.shapes import Reply
from service.stores.files import UploadedFile


class FileReply(Reply):
    """An uploaded file without its content; `created_at` is in whole unix seconds."""

    id: str
    object: Literal["file"] = "file"
    bytes: int
    created_at: int
    filename: str
    purpose: str
    status: Literal["processed"] = "processed"
    sha256: str

    @classmethod
    def of(cls, file: UploadedFile) -> Self:
        """Return a file as OpenAI's clients read it."""
        return cls(
            id=file.file_id,
            bytes=file.bytes,
            created_at=int(file.created_at),
            filename=file.filename,
            purpose=file.purpose,
            sha256=file.sha256,
        )


class DeletedFileReply(Reply):
    """An uploaded file that is gone; documents and adapters made of it stay."""

    id: str
    object: Literal["file"] = "file"
    deleted: Literal[True] = True
