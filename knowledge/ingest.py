"""One document in: parse, chunk, embed, stage, index, activate, clean up.

It knows the order of the steps and why each may fail without harm; it does not know how any of
them is done. One document and a thousand take the same path.

After a crash at any point the old version still answers, whole: nothing is seen before the
version is activated, and that is one transaction. What an interrupted run leaves behind (a staged
version, its vectors) is removed by the next version of the document or by reconcile.
"""

import hashlib
import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection

from knowledge.access import check_access, check_attributes, require_writable, settle
from knowledge.chunking import chunk, embedded_text
from knowledge.config import Chunking, KnowledgeConfig
from knowledge.embedding import Progress
from knowledge.errors import (
    DocumentTooLarge,
    EmbedderMismatch,
    InvalidName,
)
from knowledge.index.vectors import VectorIndex, delete_vectors, upsert_if_available
from knowledge.languages import written_language
from knowledge.parsing import ParsedText, may_be_scan, named_encoding, parse
from knowledge.resources import Resources
from knowledge.sql import staging, versions
from knowledge.sql.bases import Base, get_base
from knowledge.sql.chunks import vectors_by_text
from knowledge.sql.documents import beginnings
from knowledge.sql.fingerprints import fingerprint
from knowledge.sql.history.syncs import set_origin
from knowledge.sql.staging import ActiveVersion, Draft, Staged, Vectors
from knowledge.sql.transaction import write_transaction
from knowledge.types import (
    Attributes,
    Chunk,
    IngestReport,
    NewDocument,
    searched_title,
)

logger = logging.getLogger(__name__)

MAX_EXTERNAL_ID_CHARS = 512
HEADING_TOKENS = 16  # room for the headings that stand before a chunk when it is embedded
WINDOW_DOCUMENTS = 128  # embedded and committed together: full batches, fewer fsyncs


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A source file, and its active version, if there is one."""

    source: NewDocument
    content_hash: str
    current: ActiveVersion | None

    @property
    def access(self) -> frozenset[str]:
        """The labels of the new version, before those of its content are looked up."""
        if self.source.access is not None:
            return self.source.access
        return frozenset() if self.current is None else self.current.access

    @property
    def attributes(self) -> Attributes:
        """Its attributes, likewise."""
        if self.source.attributes is not None:
            return self.source.attributes
        return {} if self.current is None else self.current.attributes


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A new or changed source file, read and cut."""

    file: SourceFile
    parsed: ParsedText
    chunks: tuple[Chunk, ...]


@dataclass(frozen=True, slots=True)
class Window:
    """Documents that are written together: all, those that change anything, and these embedded."""

    files: list[SourceFile]
    changed: list[SourceFile]
    drafts: list[Draft]
    require: Callable[[Connection, Base], None] = lambda *_: None
    """Raises where the drafts must not be written any more; called in the transaction."""


def ingest_documents(
    resources: Resources,
    base: Base,
    sources: Sequence[NewDocument],
    progress: Progress | None = None,
) -> list[IngestReport]:
    """Add or replace documents, and return one report each, in order.

    While a window is embedded the one before is written: nobody waits for the disk and Chroma.

    Args:
        resources: Where to.
        base: The knowledge base.
        sources: The files; of two with the same external id the later one stays.
        progress: Called with (documents done, documents in all).

    Raises:
        KnowledgeError: What `parse` raises, DocumentTooLarge, InvalidAttributes, AccessConflict or
            ExternalIdTaken: of a file; the ones in earlier windows, the longest, are already in.
        EmbedderMismatch: The base was indexed by another embedder.
    """
    reports: dict[int, IngestReport] = {}
    names: set[str] = set()
    pending: list[tuple[list[int], Future[list[IngestReport]]]] = []  # at most one, for order

    def wait_for_write() -> None:
        if pending:
            positions, written = pending.pop()
            reports.update(zip(positions, written.result(), strict=True))
            if progress is not None:
                progress(len(reports), len(sources))

    with ThreadPoolExecutor(1, thread_name_prefix="ingest") as thread:
        try:
            for positions in _windows(sources):
                window = [sources[position] for position in positions]
                before, names = names, {source.external_id for source in window}
                if not before.isdisjoint(names):
                    wait_for_write()  # the active versions of these are being written right now
                base = _reload(resources, base)  # a re-index may have swapped its embedder
                read = _read(resources.for_base(base), base, window)
                wait_for_write()
                written = thread.submit(_write_or_retry, resources, base, read)
                pending.append((positions, written))
        finally:
            wait_for_write()  # a window that was read is written, even if the next fails
    return [reports[position] for position in range(len(sources))]


def _read(resources: Resources, base: Base, sources: Sequence[NewDocument]) -> Window:
    """Compare, cut and embed; nothing is written."""
    files = _compare_with_active(resources, base, sources)
    chunking = _chunking(resources, base)
    changed = [item for item in files if not _is_unchanged(base, chunking, item)]
    language = _language(resources, base) if changed else ""
    prepared = [_prepare(resources, base, item, (chunking, language)) for item in changed]
    return Window(files, changed, _embed(resources, base, chunking, prepared))


def _reload(resources: Resources, base: Base) -> Base:
    with resources.database.connect() as connection:
        return get_base(connection, base.base_id, tenant=base.tenant)


def _write_or_retry(resources: Resources, base: Base, window: Window) -> list[IngestReport]:
    """Write the window; embed it anew where a re-index swapped the embedder since it was read."""
    try:
        return write(resources.for_base(base), base, window)
    except EmbedderMismatch:
        base = _reload(resources, base)
        serving = resources.for_base(base)
        sources = [file.source for file in window.files]
        return write(serving, base, _read(serving, base, sources))


def write(resources: Resources, base: Base, window: Window) -> list[IngestReport]:
    """Stage, index and activate, while the next window is read."""
    sources = [item.source for item in window.changed]
    with write_transaction(resources.database) as connection:
        base = get_base(connection, base.base_id, tenant=base.tenant)
        require_writable(connection, base, [item.source for item in window.files])
        window.require(connection, base)
        resources.embedder_of(base)  # raises where a re-index has swapped the embedder meanwhile
        drafts = settle(connection, base, sources, window.drafts)
        staged = staging.stage(connection, base, drafts)
        _note_origins(connection, window)
    indexed = _upsert(resources.index, base, drafts, staged)
    with write_transaction(resources.database) as connection:
        now = get_base(connection, base.base_id, tenant=base.tenant)
        indexed = indexed and now.index.pk == base.index.pk  # a swap takes staged chunks along
        removed = versions.activate(connection, now, staged, indexed=indexed)
    delete_vectors(resources.index, now.index.collection, removed)
    pairs = zip(staged, drafts, strict=True)
    written = dict(zip((id(item) for item in window.changed), pairs, strict=True))
    return [
        _report(item, *written.get(id(item), (None, None)), indexed=indexed)
        for item in window.files
    ]


def _note_origins(connection: Connection, window: Window) -> None:
    """Write who sent documents that were there already, as they are: uploads and syncs differ."""
    written = {id(item) for item in window.changed}
    for item in window.files:
        current, sent_by = item.current, item.source.synced_from
        if current is None or sent_by is None or id(item) in written:
            continue
        if current.synced_from != sent_by:
            set_origin(connection, sent_by, [current.version_pk])


def _windows(sources: Sequence[NewDocument]) -> Iterator[list[int]]:
    """Yield the positions of documents written together; a run of windows has no id twice.

    The longest first: batches of one length need no padding (5 to 10 % of the time), and the last
    window, which is written beside nothing, is the smallest.
    """
    for run in _runs(sources):
        run.sort(key=lambda position: len(sources[position].content), reverse=True)
        for start in range(0, len(run), WINDOW_DOCUMENTS):
            yield run[start : start + WINDOW_DOCUMENTS]


def _runs(sources: Sequence[NewDocument]) -> Iterator[list[int]]:
    run: dict[str, int] = {}
    for position, source in enumerate(sources):
        if source.external_id in run:
            yield list(run.values())
            run = {}
        run[source.external_id] = position
    if run:
        yield list(run.values())


def _compare_with_active(
    resources: Resources, base: Base, sources: Sequence[NewDocument]
) -> list[SourceFile]:
    for source in sources:
        _check(resources.config, source)
    with resources.database.connect() as connection:
        names = [source.external_id for source in sources]
        current = staging.active_versions(connection, base, names)
    return [
        SourceFile(
            source, hashlib.sha256(source.content).hexdigest(), current.get(source.external_id)
        )
        for source in sources
    ]


def _check(config: KnowledgeConfig, source: NewDocument) -> None:
    if not 0 < len(source.external_id) <= MAX_EXTERNAL_ID_CHARS:
        raise InvalidName(f"an external id has 1 to {MAX_EXTERNAL_ID_CHARS} characters")
    if len(source.content) > config.max_document_bytes:
        raise DocumentTooLarge(
            f"{source.filename!r} has {len(source.content)} bytes; at most "
            f"{config.max_document_bytes} (knowledge.max_document_bytes)"
        )
    check_attributes(source.attributes or {})
    check_access(source.access or ())


def _language(resources: Resources, base: Base) -> str:
    """Return the language of a base's newest documents, for files that leave theirs open."""
    with resources.database.connect() as connection:
        return written_language("\n".join(beginnings(connection, base)))


def _prepare(
    resources: Resources, base: Base, file: SourceFile, how: tuple[Chunking, str]
) -> _Prepared:
    source, (chunking, language) = file.source, how
    parsed = source.parsed or parse(
        source.filename,
        source.content,
        limits=resources.config.parse_limits,
        encoding=source.encoding,
        language=language,
        ocr=base.ocr,
    )
    chunks = chunk(parsed, chunking, count_tokens=resources.embedder.count_tokens)
    return _Prepared(file, parsed, tuple(chunks))


def _is_unchanged(base: Base, chunking: Chunking, item: SourceFile) -> bool:
    current, source = item.current, item.source
    return current is not None and (
        current.content_hash == item.content_hash
        and current.filename == source.filename
        and dict(current.attributes) == dict(item.attributes)
        and current.access == item.access
        and current.chunking == str(chunking)
        and named_encoding(source.filename, source.content, source.encoding)
        in (None, current.encoding)
        and (current.ocr == base.ocr or not may_be_scan(source.filename))
    )


def _chunking(resources: Resources, base: Base) -> Chunking:
    """Return how the base's documents are cut, no chunk longer than the embedder reads."""
    wanted = base.chunking or resources.config.chunking
    longest = resources.embedder.max_tokens - HEADING_TOKENS
    if wanted.chunk_tokens <= longest:
        return wanted
    overlap = min(wanted.overlap_tokens, longest // 2)
    return wanted.model_copy(update={"chunk_tokens": longest, "overlap_tokens": overlap})


def _embed(
    resources: Resources, base: Base, chunking: Chunking, items: Sequence[_Prepared]
) -> list[Draft]:
    """Return drafts with vectors; text that the live version also holds is not embedded again."""
    known = _known_vectors(resources, items)
    texts = [_embedded_texts(item) for item in items]
    new = list(dict.fromkeys(text for part in texts for text in part if text not in known))
    known.update(zip(new, resources.embedder.embed_passages(new), strict=True))
    return [
        Draft(
            external_id=item.file.source.external_id,
            filename=item.file.source.filename,
            format=item.parsed.format,
            encoding=item.parsed.encoding,
            content_hash=item.file.content_hash,
            attributes=item.file.attributes,
            access=item.file.access,
            bytes=len(item.file.source.content),
            text=item.parsed.text,
            ocr=base.ocr,
            left_out=item.parsed.left_out,
            fingerprint=fingerprint(item.parsed.text),
            chunking=str(chunking),
            chunks=item.chunks,
            vectors=np.stack([known[text] for text in part]),
            synced_from=item.file.source.synced_from,
        )
        for item, part in zip(items, texts, strict=True)
    ]


def _known_vectors(resources: Resources, items: Sequence[_Prepared]) -> dict[str, Vectors]:
    known: dict[str, Vectors] = {}
    with resources.database.connect() as connection:
        for item in items:
            if item.file.current is not None:
                title = searched_title(item.file.source.external_id, item.file.current.filename)
                rows = vectors_by_text(connection, item.file.current.version_pk)
                known.update(
                    (embedded_text(title, heading, text, lead or ""), vector)
                    for heading, text, lead, vector in rows
                )
    return known


def _embedded_texts(item: _Prepared) -> list[str]:
    title = searched_title(item.file.source.external_id, item.file.source.filename)
    return [embedded_text(title, c.heading, c.text, c.lead) for c in item.chunks]


def _upsert(
    index: VectorIndex, base: Base, drafts: Sequence[Draft], staged: Sequence[Staged]
) -> bool:
    """Write the vectors of staged versions; return False when Chroma is away."""
    if not staged:
        return True
    ids = [chunk_id for version in staged for chunk_id in version.chunk_ids]
    vectors = np.vstack([draft.vectors for draft in drafts])
    return upsert_if_available(index, base.index.collection, ids, vectors)


def _report(
    item: SourceFile, staged: Staged | None, draft: Draft | None, *, indexed: bool
) -> IngestReport:
    if staged is None or draft is None:
        assert item.current is not None
        return IngestReport(
            document_id=item.current.document_id,
            external_id=item.source.external_id,
            version=item.current.version,
            chunks=item.current.chunks,
            unchanged=True,
            indexed=True,
            encoding=item.current.encoding or "",
            left_out=item.current.left_out,
            access=tuple(sorted(item.access)),
        )
    return IngestReport(
        document_id=staged.document_id,
        external_id=item.source.external_id,
        version=staged.version,
        chunks=len(staged.chunk_ids),
        unchanged=False,
        indexed=indexed,
        encoding=draft.encoding,
        left_out=draft.left_out,
        access=tuple(sorted(staged.access)),
    )
