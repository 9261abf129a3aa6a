"""`Versions`: the history of documents, texts of replaced versions, and the way back to one.

It knows who may read which version and how an old text becomes a new version; it does not know
how texts are kept (`sql.history.kept`).
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import numpy as np
from sqlalchemy import Connection

from knowledge.chunking import embedded_text
from knowledge.errors import (
    CollectionNotFound,
    DocumentNotFound,
    EmbedderMismatch,
    InvalidQuery,
)
from knowledge.history.diff import diff_lines
from knowledge.ingest import SourceFile, Window, write
from knowledge.resources import Resources
from knowledge.sql import staging
from knowledge.sql.bases import Base, get_base
from knowledge.sql.documents import documents_of_file, find_document
from knowledge.sql.fingerprints import fingerprint
from knowledge.sql.history import entries, kept
from knowledge.sql.history.entries import DocumentVersion
from knowledge.sql.history.erasing import Eraser
from knowledge.sql.history.kept import KeptVersion
from knowledge.sql.labels import may_read
from knowledge.sql.staging import Draft
from knowledge.sql.transaction import write_transaction
from knowledge.types import IngestReport, NewDocument, searched_title

MOST_KEPT = 1_000
"""Of a document that is written every hour, six weeks; more is a backup's task."""


@dataclass(frozen=True, slots=True)
class VersionText:
    """The text of one version of a document."""

    external_id: str
    version: int
    is_active: bool
    changed_at: float
    text: str


@dataclass(frozen=True, slots=True)
class VersionDiff:
    """How the texts of two versions differ, as a unified diff; no lines where they are equal."""

    external_id: str
    old: int
    new: int
    lines: tuple[str, ...]


class Versions:
    """The versions of documents, for every tenant; reached by `Knowledge.versions`."""

    def __init__(self, resources: Resources, eraser: Eraser) -> None:
        self._resources = resources
        self._eraser = eraser

    def history(
        self,
        base_id: str,
        document: str | None = None,
        *,
        tenant: str,
        access: Collection[str] | None = None,
        limit: int | None = None,
        after: str | None = None,
    ) -> list[DocumentVersion]:
        """Return what happened to a document, or to all of a base, newest first.

        Args:
            base_id: Which base.
            document: External id or document id; it may be deleted by now.
            tenant: Whose.
            access: The labels that the reader holds; entries of versions with others are left out.
                None: any.
            limit: Most entries.
            after: A `version_id` that ended the page before.

        Raises:
            CollectionNotFound, DocumentNotFound: There never was one of that name that the reader
                may read.
        """
        with self._resources.database.connect() as connection:
            base = get_base(connection, base_id, tenant=tenant)
            return entries.list_versions(
                connection, base, document, access=access, limit=limit, after=after
            )

    def is_readable(
        self, base_id: str, document: str, *, tenant: str, access: Collection[str] | None
    ) -> bool:
        """Return whether there is or was a document that a reader with these labels may read."""
        with self._resources.database.connect() as connection:
            try:
                base = get_base(connection, base_id, tenant=tenant)
                find_document(connection, base, document, access=access)
            except (CollectionNotFound, DocumentNotFound):
                return False
        return True

    def is_file_readable(
        self,
        filename: str,
        content_hash: str,
        *,
        tenant: str,
        access: Collection[str] | None,
        base_ids: Collection[str] | None,
    ) -> bool:
        """Return whether a reader may know of a file by the documents that it became.

        Args:
            filename: The external id of those documents.
            content_hash: SHA-256 of its bytes.
            tenant: Whose.
            access: The labels that the reader holds; None: any.
            base_ids: The only bases that the reader may use; None: all.

        Returns:
            True where there is no such document, live or not, or one that may be read.
        """
        if access is None and base_ids is None:
            return True
        with self._resources.database.connect() as connection:
            found = list(documents_of_file(connection, filename, content_hash, tenant=tenant))
        return not found or any(
            (base_ids is None or base_id in base_ids)
            and all(may_read(labels, access) for labels in guards)
            for base_id, *guards in found
        )

    def keep(self, base_id: str, most: int, *, tenant: str) -> int:
        """Keep the texts of the newest `most` replaced contents of each document from now on.

        Returns:
            How many texts that were kept until now are gone at once.

        Raises:
            CollectionNotFound: There is no such base.
            InvalidQuery: `most` is below 0 or above 1,000.
        """
        check_keep_versions(most)
        with write_transaction(self._resources.database) as connection:
            base = get_base(connection, base_id, tenant=tenant)
            gone = kept.set_keep_versions(connection, base, most)
        if gone:
            self._eraser.erase(at_once=True)
        return gone

    def text(
        self,
        base_id: str,
        document: str,
        version: int,
        *,
        tenant: str,
        access: Collection[str] | None = None,
    ) -> VersionText:
        """Return the text of a version.

        Args:
            base_id: Which base.
            document: External id or document id.
            version: Its number.
            tenant: Whose.
            access: The labels that the reader holds, as in a search; None: whoever asks runs the
                base and may read all of it, as with `Knowledge.document_text`.

        Raises:
            CollectionNotFound, DocumentNotFound, VersionNotFound: There is none, or it was deleted,
                or the reader may not read it.
            TextNotKept: It was replaced, and its text was not kept.
        """
        found = self._read(base_id, document, version, tenant=tenant, access=access)
        return VersionText(
            found.external_id, found.version, found.is_active, found.changed_at, found.text
        )

    def diff(
        self,
        base_id: str,
        document: str,
        old: int,
        new: int | None = None,
        *,
        tenant: str,
        access: Collection[str] | None = None,
    ) -> VersionDiff:
        """Return how the text of version `old` became that of `new`, the active one if left out.

        Arguments and errors are those of `text`.
        """
        before = self._read(base_id, document, old, tenant=tenant, access=access)
        number = self._active(base_id, document, tenant=tenant) if new is None else new
        after = self._read(base_id, document, number, tenant=tenant, access=access)
        lines = diff_lines(before.text, after.text, _named(before), _named(after))
        return VersionDiff(before.external_id, old, number, tuple(lines))

    def roll_back(
        self,
        base_id: str,
        document: str,
        version: int,
        *,
        tenant: str,
        access: Collection[str] | None = None,
    ) -> IngestReport:
        """Write the text of an earlier version as a new one; history goes on.

        Labels and attributes are those of the document now. Where it is open and the old text was
        guarded when it was last there, it is guarded so again, as if its file were sent: nothing
        that was guarded is opened.

        Args:
            base_id: Which base.
            document: External id or document id.
            version: Its number.
            tenant: Whose.
            access: The labels that whoever asks holds; None: any.

        Returns:
            As `Knowledge.ingest`; `unchanged` where the active version has this text: a command
            that is repeated pushes no kept text out.

        Raises:
            CollectionNotFound, DocumentNotFound, VersionNotFound, TextNotKept: As `text`.
            AccessConflict: The document follows two others that are guarded by other labels, or one
                that whoever asks may not read.
            EmbedderMismatch: The base was indexed by another embedder.
            IngestConflict: The document was deleted or written meanwhile; retryable.
        """
        with self._resources.database.connect() as connection:
            base = get_base(connection, base_id, tenant=tenant)
        try:
            return self._write_back(base, document, version, access=access)
        except EmbedderMismatch:  # unless a re-index swapped it meanwhile, this raises again
            with self._resources.database.connect() as connection:
                base = get_base(connection, base_id, tenant=tenant)
            return self._write_back(base, document, version, access=access)

    def _write_back(
        self, base: Base, document: str, version: int, *, access: Collection[str] | None
    ) -> IngestReport:
        serving = self._resources.for_base(base)
        with serving.database.connect() as connection:
            old = _read_version(connection, base, document, version, access=access)
            active = staging.active_versions(connection, base, [old.external_id])
            current = active.get(old.external_id)
            now = current and kept.read_version(connection, base, document, current.version)
        held = None if access is None else frozenset(access)
        source = NewDocument(old.external_id, old.filename, b"", synced_from=None, held=held)
        file = SourceFile(source, old.content_hash, current)
        if now and _restored(now) == _restored(old):
            return write(serving, base, Window([file], [], []))[0]
        window = Window([file], [file], [_draft(serving, base, old)], partial(_require_text, old))
        return write(serving, base, window)[0]

    def _read(
        self,
        base_id: str,
        document: str,
        number: int,
        *,
        tenant: str,
        access: Collection[str] | None,
    ) -> KeptVersion:
        with self._resources.database.connect() as connection:
            base = get_base(connection, base_id, tenant=tenant)
            return _read_version(connection, base, document, number, access=access)

    def _active(self, base_id: str, document: str, *, tenant: str) -> int:
        found = self.history(base_id, document, tenant=tenant)
        number = next((one.version for one in found if one.is_active), None)
        if number is None:
            raise DocumentNotFound(f"{document!r} was deleted from {base_id!r}")
        return number


def check_keep_versions(most: int) -> None:
    """Raise `InvalidQuery` unless a base may keep so many versions."""
    if not 0 <= most <= MOST_KEPT:
        raise InvalidQuery(f"keep_versions is {most}; 0 to {MOST_KEPT:,} are possible")


def _read_version(
    connection: Connection,
    base: Base,
    document: str,
    number: int,
    *,
    access: Collection[str] | None,
) -> KeptVersion:
    """Return a version that a reader with these labels may read.

    The labels of its document count, and its own: what was said under a guard is not told by
    taking the guard off what replaced it, nor by exchanging it.
    """
    find_document(connection, base, document, access=access)
    found = kept.read_version(connection, base, document, number)
    if not may_read(found.access, access):
        raise DocumentNotFound(f"knowledge base {base.base_id!r} has no document {document!r}")
    return found


def _restored(found: KeptVersion) -> tuple[str, str, str]:
    """Return what a rollback to a version brings back."""
    return found.filename, found.content_hash, found.text


def _named(found: KeptVersion) -> str:
    when = datetime.fromtimestamp(found.changed_at, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return f"{found.external_id} (version {found.version}, {when} UTC)"


def _require_text(old: KeptVersion, connection: Connection, base: Base) -> None:
    """Raise where the text was deleted since it was read: it must not come back."""
    kept.read_version(connection, base, old.external_id, old.version)


def _draft(resources: Resources, base: Base, old: KeptVersion) -> Draft:
    """Return the old version as a new one, its text cut as it was; labels are settled later."""
    title = searched_title(old.external_id, old.filename)
    texts = [embedded_text(title, c.heading, c.text, c.lead) for c in old.chunks]
    return Draft(
        external_id=old.external_id,
        filename=old.filename,
        format=old.format,
        encoding=old.encoding,
        content_hash=old.content_hash,
        attributes={},
        access=frozenset(),
        bytes=old.bytes,
        text=old.text,
        ocr=old.ocr,
        left_out=old.left_out,
        fingerprint=fingerprint(old.text),
        chunking=old.chunking,
        chunks=old.chunks,
        vectors=np.asarray(resources.embedder.embed_passages(texts), np.float32),
        synced_from=old.synced_from,
        restores=old.version,
    )
