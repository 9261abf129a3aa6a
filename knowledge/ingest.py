"""One document in: parse, chunk, embed, stage, index, activate, clean up.

It knows the order of the steps and why each may fail without harm; it does not know how any of
them is done. One document and a thousand take the same path.

After a crash at any point the old version still answers, whole: nothing is seen before the
version is activated, and that is one transaction. What an interrupted run leaves behind (a staged
version, its vectors) is removed by the next version of the document or by reconcile.
"""

import hashlib
import logging
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from knowledge.access import settle
from knowledge.chunking import chunk, embedded_text
from knowledge.config import Chunking, KnowledgeConfig
from knowledge.embedding import Progress
from knowledge.errors import (
    DocumentTooLarge,
    EmbedderMismatch,
    InvalidAttributes,
    InvalidName,
)
from knowledge.index.vectors import VectorIndex, delete_vectors, upsert_if_available
from knowledge.parsing import ParsedText, may_be_scan, parse
from knowledge.resources import Resources
from knowledge.sql import staging, versions
from knowledge.sql.bases import Base, get_base
from knowledge.sql.chunks import vectors_by_text
from knowledge.sql.fingerprints import fingerprint
from knowledge.sql.staging import ActiveVersion, Draft, Staged, Vectors
from knowledge.sql.transaction import write_transaction
from knowledge.types import (
    MAX_ATTRIBUTES,
    Attributes,
    Chunk,
    IngestReport,
    NewDocument,
    searched_title,
)

logger = logging.getLogger(__name__)

MAX_KEY_CHARS = 64  # keys of 64 and values of 512 characters, as OpenAI's vector store files
MAX_ACCESS_LABELS = 64
MAX_VALUE_CHARS = 512
MAX_EXTERNAL_ID_CHARS = 512
HEADING_TOKENS = 16  # room for the headings that stand before a chunk when it is embedded
WINDOW_DOCUMENTS = 128  # embedded and committed together: full batches, fewer fsyncs


@dataclass(frozen=True, slots=True)
class _SourceFile:
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

    file: _SourceFile
    parsed: ParsedText
    chunks: tuple[Chunk, ...]


@dataclass(frozen=True, slots=True)
class _Window:
    """Documents that are written together: all, those that change anything, and these embedded."""

    files: list[_SourceFile]
    changed: list[_SourceFile]
    drafts: list[Draft]


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
        KnowledgeError: What `parse` raises, DocumentTooLarge, InvalidAttributes or AccessConflict:
            of a file; the ones in earlier windows, the longest, are already in.
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


def _read(resources: Resources, base: Base, sources: Sequence[NewDocument]) -> _Window:
    """Compare, cut and embed; nothing is written."""
    files = _compare_with_active(resources, base, sources)
    chunking = _chunking(resources, base)
    changed = [item for item in files if not _is_unchanged(base, chunking, item)]
    prepared = [_prepare(resources, base, chunking, item) for item in changed]
    return _Window(files, changed, _embed(resources, base, chunking, prepared))


def _reload(resources: Resources, base: Base) -> Base:
    with resources.database.connect() as connection:
        return get_base(connection, base.base_id, tenant=base.tenant)


def _write_or_retry(resources: Resources, base: Base, window: _Window) -> list[IngestReport]:
    """Write the window; embed it anew where a re-index swapped the embedder since it was read."""
    try:
        return _write(resources.for_base(base), base, window)
    except EmbedderMismatch:
        base = _reload(resources, base)
        serving = resources.for_base(base)
        sources = [file.source for file in window.files]
        return _write(serving, base, _read(serving, base, sources))


def _write(resources: Resources, base: Base, window: _Window) -> list[IngestReport]:
    """Stage, index and activate, while the next window is read."""
    sources = [item.source for item in window.changed]
    with write_transaction(resources.database) as connection:
        base = get_base(connection, base.base_id, tenant=base.tenant)
        resources.embedder_of(base)  # raises where a re-index has swapped the embedder meanwhile
        drafts = settle(connection, base, sources, window.drafts)
        staged = staging.stage(connection, base, drafts)
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


def check_attributes(attributes: Attributes) -> None:
    """Raise `InvalidAttributes` unless they keep the limits."""
    if len(attributes) > MAX_ATTRIBUTES:
        raise InvalidAttributes(f"{len(attributes)} attributes; at most {MAX_ATTRIBUTES}")
    for key, value in attributes.items():
        if not 0 < len(key) <= MAX_KEY_CHARS:
            raise InvalidAttributes(f"attribute key {key[:80]!r}: 1 to {MAX_KEY_CHARS} characters")
        if not isinstance(value, str | int | float | bool):
            raise InvalidAttributes(f"attribute {key!r} must be text, a number or a boolean")
        if isinstance(value, str) and len(value) > MAX_VALUE_CHARS:
            raise InvalidAttributes(f"attribute {key!r}: at most {MAX_VALUE_CHARS} characters")


def check_access(labels: Collection[str]) -> None:
    """Raise `InvalidAttributes` unless the access labels keep the limits."""
    if len(labels) > MAX_ACCESS_LABELS:
        raise InvalidAttributes(f"{len(labels)} access labels; at most {MAX_ACCESS_LABELS}")
    for label in labels:
        if not 0 < len(label) <= MAX_KEY_CHARS:
            raise InvalidAttributes(f"access label {label[:80]!r}: 1 to {MAX_KEY_CHARS} characters")


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
) -> list[_SourceFile]:
    for source in sources:
        _check(resources.config, source)
    with resources.database.connect() as connection:
        names = [source.external_id for source in sources]
        current = staging.active_versions(connection, base, names)
    return [
        _SourceFile(
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


def _prepare(resources: Resources, base: Base, chunking: Chunking, file: _SourceFile) -> _Prepared:
    source = file.source
    limits = resources.config.parse_limits
    parsed = source.parsed or parse(source.filename, source.content, limits=limits, ocr=base.ocr)
    chunks = chunk(parsed, chunking, count_tokens=resources.embedder.count_tokens)
    return _Prepared(file, parsed, tuple(chunks))


def _is_unchanged(base: Base, chunking: Chunking, item: _SourceFile) -> bool:
    current, source = item.current, item.source
    return current is not None and (
        current.content_hash == item.content_hash
        and current.filename == source.filename
        and dict(current.attributes) == dict(item.attributes)
        and current.access == item.access
        and current.chunking == str(chunking)
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
    item: _SourceFile, staged: Staged | None, draft: Draft | None, *, indexed: bool
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
