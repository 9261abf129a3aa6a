"""Uploaded files.

It knows bytes and names; it does not read their content.
"""

import hashlib
import time
import uuid
from dataclasses import dataclass

from sqlalchemy import Column, Float, Integer, LargeBinary, String, Table, delete, select, tuple_

from service.errors import FileNotFound, InvalidRequest
from service.stores.database import Database
from service.stores.tables import metadata

files = Table(
    "files",
    metadata,
    Column("file_id", String(40), primary_key=True),
    Column("tenant", String(64), nullable=False),
    Column("purpose", String(32), nullable=False),
    Column("filename", String(512), nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("created_at", Float, nullable=False),
)

_COLUMNS = [column for column in files.c if column.name != "content"]


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """One uploaded file without its content."""

    file_id: str
    tenant: str
    purpose: str
    filename: str
    bytes: int
    sha256: str
    created_at: float


class Files:
    """The files of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, filename: str, content: bytes, *, purpose: str, tenant: str) -> UploadedFile:
        """Save `content`; the same bytes under the same name and purpose are saved once."""
        sha256 = hashlib.sha256(content).hexdigest()
        same = select(*_COLUMNS).where(
            files.c.tenant == tenant,
            files.c.purpose == purpose,
            files.c.sha256 == sha256,
            files.c.filename == filename,
        )
        with self._database.execution_options(write=True).begin() as connection:
            known = connection.execute(same).first()
            if known is not None:
                return UploadedFile(**known._mapping)
            row = {
                "file_id": f"file-{uuid.uuid4().hex}",
                "tenant": tenant,
                "purpose": purpose,
                "filename": filename,
                "bytes": len(content),
                "sha256": sha256,
                "created_at": time.time(),
            }
            connection.execute(files.insert().values(content=content, **row))
        return UploadedFile(**row)  # type: ignore[arg-type]  # the row is the file's fields

    def get(self, file_id: str, *, tenant: str) -> UploadedFile:
        """Return the file.

        Raises:
            FileNotFound: No file has this id.
        """
        query = select(*_COLUMNS).where(files.c.file_id == file_id, files.c.tenant == tenant)
        with self._database.connect() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            raise FileNotFound(f"There is no file {file_id!r}.", param="file_id")
        return UploadedFile(**row._mapping)

    def list(
        self,
        *,
        tenant: str,
        purpose: str | None = None,
        after: str | None = None,
        newest_first: bool = True,
        limit: int,
    ) -> tuple[UploadedFile, ...]:
        """Return files by the time of their upload.

        Args:
            tenant: Whose.
            purpose: Only files of this purpose.
            after: Id of the last file of the previous page.
            newest_first: Or the oldest first.
            limit: Most files to return.

        Raises:
            InvalidRequest: No file is called `after`.
        """
        position = tuple_(files.c.created_at, files.c.file_id)
        query = select(*_COLUMNS).where(files.c.tenant == tenant)
        if purpose is not None:
            query = query.where(files.c.purpose == purpose)
        if after is not None:
            try:
                last = self.get(after, tenant=tenant)
            except FileNotFound as exc:
                raise InvalidRequest(f"There is no file {after!r}.", param="after") from exc
            here = tuple_(last.created_at, last.file_id)
            query = query.where(position < here if newest_first else position > here)
        ordered = [column.desc() if newest_first else column for column in position.clauses]
        with self._database.connect() as connection:
            rows = connection.execute(query.order_by(*ordered).limit(limit))
            return tuple(UploadedFile(**row._mapping) for row in rows)

    def delete(self, file_id: str, *, tenant: str) -> None:
        """Delete the file and its content.

        Raises:
            FileNotFound: No file has this id.
        """
        one = delete(files).where(files.c.file_id == file_id, files.c.tenant == tenant)
        with self._database.execution_options(write=True).begin() as connection:
            if connection.execute(one).rowcount == 0:
                raise FileNotFound(f"There is no file {file_id!r}.", param="file_id")

    def ids_by_content(self, *, tenant: str) -> dict[tuple[str, str], str]:
        """Return the id of the newest file of each name and sha256."""
        query = select(files.c.filename, files.c.sha256, files.c.file_id)
        newest_last = query.where(files.c.tenant == tenant).order_by(files.c.created_at)
        with self._database.connect() as connection:
            rows = connection.execute(newest_last)
            return {(row.filename, row.sha256): row.file_id for row in rows}

    def content(self, file_id: str, *, tenant: str) -> bytes:
        """Return the bytes of the file.

        Raises:
            FileNotFound: No file has this id.
        """
        self.get(file_id, tenant=tenant)
        query = select(files.c.content).where(files.c.file_id == file_id)
        with self._database.connect() as connection:
            content: bytes = connection.execute(query).scalar_one()
        return content
