"""The values that cross this room's border, all frozen.

They know their fields; they do not know where they are stored or how they were found.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal, NewType

from knowledge.config import Chunking
from knowledge.parsing import NotRead, Ocr, ParsedText

BaseId = NewType("BaseId", str)
DocumentId = NewType("DocumentId", str)
ChunkId = NewType("ChunkId", str)

AttributeValue = str | int | float | bool
Attributes = Mapping[str, AttributeValue]
MAX_ATTRIBUTES = 16  # as OpenAI's vector store files
RetrieverName = Literal["dense", "lexical"]
RETRIEVERS: tuple[RetrieverName, ...] = ("dense", "lexical")
RelevanceKind = Literal["cosine_and_coverage", "cosine", "coverage"]


HEADING_SEPARATOR = " > "


def document_title(external_id: str, filename: str) -> str:
    """Return what a reader knows a document by: its id where that is a path, else its file name."""
    name, stem = external_id.rpartition("/")[2], PurePosixPath(filename).stem
    if stem in (name, PurePosixPath(name).stem):
        return external_id
    return f"{external_id}/{filename}" if "/" in external_id else filename


def searched_title(external_id: str, filename: str) -> str:
    """Return what is indexed of a document's title: `document_title` without the suffix."""
    return document_title(external_id, filename).removesuffix(PurePosixPath(filename).suffix)


@dataclass(frozen=True, slots=True)
class KnowledgeBase:
    """A named set of documents that are searched together.

    Attributes:
        chunking: Its own way of cutting documents; None: the configured one.
        keep_versions: How many replaced contents of a document keep their text.
        ocr: Of which pages the text is recognised.
    """

    base_id: BaseId
    tenant: str
    name: str
    created_at: float
    documents: int = 0
    chunks: int = 0
    text_bytes: int = 0
    chunking: Chunking | None = None
    keep_versions: int = 0
    ocr: Ocr = "auto"


@dataclass(frozen=True, slots=True)
class Document:
    """The active version of one source file.

    Attributes:
        encoding: In which its text was read.
        left_out: What of it was not read.
        is_outdated: It was read and cut in an earlier way, or by another setting of `ocr`: sent
            again, it is read again.
        synced_from: The folder whose sync wrote it; empty: none did; None: from before that was
            recorded.
    """

    document_id: DocumentId
    base_id: BaseId
    external_id: str
    tenant: str
    version: int
    filename: str
    content_hash: str
    attributes: Attributes
    access: tuple[str, ...]
    created_at: float
    updated_at: float
    bytes: int
    chars: int
    tokens: int
    chunks: int
    indexed: bool
    encoding: str
    left_out: tuple[NotRead, ...]
    is_outdated: bool
    synced_from: str | None


@dataclass(frozen=True, slots=True)
class NewDocument:
    """A source file on its way in.

    Attributes:
        external_id: The caller's own name for it, 1 to 512 characters; the same again replaces.
        filename: Decides the format by its suffix and is searched as the title.
        content: The raw bytes, in any encoding we can detect.
        attributes: At most 16 plain values, for filters; None: those that it had, or that its
            content had elsewhere in the base.
        access: Labels of which a reader must hold one; an empty set: everybody in the tenant may
            read it; None: those that it had or its content had, also once deleted
            (`knowledge.access`); everybody where neither was guarded.
        parsed: What it says, where that was read before: whoever opened a locked file keeps its
            password to himself. None: ingest reads it.
        synced_from: The folder whose sync sends it; empty: none does; None: as it was.
        encoding: Of its text, where somebody named it (`parse`); None: as detected.
        held: Labels that whoever writes it holds: a document with others is not replaced, and their
            names are not told. None: any.
    """

    external_id: str
    filename: str
    content: bytes
    attributes: Attributes | None = None
    access: frozenset[str] | None = None
    parsed: ParsedText | None = None
    synced_from: str | None = ""
    encoding: str | None = None
    held: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Chunk:
    """A stored piece of a document: `text` is exactly `document[start:end]` in code points.

    With a parent, `document[parent_start:parent_end]` is what is read once the chunk is found.

    Attributes:
        page: Where it begins, from 1; None where the format has no pages.
        page_end: Where it ends, if that is another page.
        sheet: Of a workbook.
        heading: The headings above it, ` > ` between.
        lead: Title and header rows of the table that it goes on with, indexed and read with it.
        ocr_confidence: Of its text, where that was recognised in a picture, 0..1: of its least
            sure page.
    """

    ordinal: int
    text: str
    start: int
    end: int
    page: int | None
    heading: str
    tokens: int
    parent_start: int | None = None
    parent_end: int | None = None
    lead: str = ""
    page_end: int | None = None
    sheet: str | None = None
    ocr_confidence: float | None = None


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What became of one document.

    Attributes:
        unchanged: The same content was already active; nothing was written.
        indexed: Its vectors are in the vector index; False while Chroma is away (the text is
            found by the lexical index all the same, and reconcile adds the vectors).
        encoding: In which its text was read.
        left_out: What of it was not read.
        access: Labels of which a reader must hold one; none: everybody may read it.
    """

    document_id: DocumentId
    external_id: str
    version: int
    chunks: int
    unchanged: bool
    indexed: bool
    encoding: str
    left_out: tuple[NotRead, ...]
    access: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Turn:
    """One earlier message of the conversation."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk returned for a question: what is indexed of it, shown to the model and cited.

    Attributes:
        path: What a reader knows its document by: `document_title`.
        start: Where it stands in the document's text; header rows that `text` repeats lie before.
        text: The chunk, or its parent, after the title and header rows of a table that it goes on
            with.
        page_end: Where it ends, if that is another page than `page`.
        heading: The headings above it, ` > ` between.
        score: Fused rank score (RRF), or the reranker's; comparable only within one answer.
        relevance: 0..1, how likely it is about the question at all (`relevance.py`).
        is_relevant: `relevance` is at least the minimum that was asked for.
        retrievers: Who found it.
        ocr_confidence: Of its text, where that was recognised in a picture.
    """

    chunk_id: ChunkId
    knowledge_base: BaseId
    document_id: DocumentId
    external_id: str
    version: int
    filename: str
    page: int | None
    start: int
    end: int
    score: float
    text: str
    ordinal: int
    relevance: float
    is_relevant: bool
    heading: str
    attributes: Attributes
    retrievers: tuple[RetrieverName, ...]
    page_end: int | None = None
    sheet: str | None = None
    ocr_confidence: float | None = None

    @property
    def ocr(self) -> bool:
        """Whether its text was recognised in a picture."""
        return self.ocr_confidence is not None

    @property
    def path(self) -> str:
        """What a reader knows its document by."""
        return document_title(self.external_id, self.filename)

    @property
    def source(self) -> str:
        """Where it is from in words: path, headings, page."""
        place = HEADING_SEPARATOR.join(filter(None, (self.path, self.heading)))
        if self.page is None:
            return place
        pages = (
            f"page {self.page}" if self.page_end is None else f"pages {self.page}-{self.page_end}"
        )
        return f"{place}, {pages}"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A retriever that did not take part, and why."""

    retriever: RetrieverName
    reason: Literal["language_not_read", "unavailable", "not_asked"]
    detail: str


@dataclass(frozen=True, slots=True)
class Retrieval:
    """The passages for one question, best first, and how they were found.

    Attributes:
        passages: At most `top_k`; those of too little relevance are marked, not dropped.
        best_relevance: Of all passages; None when there are none.
        relevant_passages: How many passages are relevant.
        degraded: A retriever that should have taken part could not.
        query: The text that was searched for, earlier turns included.
        language: Language of the question by its script (`zh`, `ja`, `ko`, … or `en`).
        relevance_kind: What relevance was computed from.
        passages_over_budget: How many of the best `top_k` the token budget left out, from the
            first that did not fit on; nothing else here speaks of them.
    """

    passages: tuple[Passage, ...]
    best_relevance: float | None
    relevant_passages: int
    degraded: bool
    retrievers: tuple[RetrieverName, ...]
    left_out: tuple[LeftOut, ...]
    query: str
    language: str
    relevance_kind: RelevanceKind
    min_relevance: float
    passages_over_budget: int = 0


@dataclass(frozen=True, slots=True)
class ReconcileReport:
    """What had to be done so that the vector index agrees with SQL.

    Attributes:
        orphans_removed: Vectors of chunks that SQL no longer holds.
        missing_added: Vectors of live chunks that the index did not hold.
        stale_collected: Versions that an interrupted ingest left behind, now removed.
        collections_rebuilt: Knowledge bases whose collection was made anew.
        collections_dropped: Collections that belonged to nothing.
        available: False: Chroma was away and nothing could be done.
    """

    orphans_removed: int = 0
    missing_added: int = 0
    stale_collected: int = 0
    collections_rebuilt: int = 0
    collections_dropped: int = 0
    available: bool = True


@dataclass(frozen=True, slots=True)
class IndexCheck:
    """What reconcile would repair in one knowledge base, found without changing anything.

    Attributes:
        orphans: Vectors of chunks that SQL no longer holds.
        missing: Live chunks whose vector the collection does not hold.
        unfinished: Versions that an ingest began and has not finished, of any age.
        removed: Vectors deleted from this generation since it was made.
        wants_rebuild: So many that reconcile would fill a new generation.
        embedder_fits: An embedder at hand made the vectors; if not, re-index.
        wants_reindex: Another than the one to be used from now on made them.
        available: False: Chroma gave no answer, and vectors could not be compared.
    """

    documents: int
    chunks: int
    orphans: int
    missing: int
    unfinished: int
    removed: int
    wants_rebuild: bool
    generation: int
    collection_lost: bool
    embedding_model: str
    embedding_revision: str
    dimension: int
    embedder_fits: bool
    wants_reindex: bool
    available: bool
    detail: str

    @property
    def in_step(self) -> bool:
        """Whether there is nothing to repair."""
        differs = self.orphans or self.missing or self.collection_lost or self.wants_rebuild
        return self.available and self.embedder_fits and not differs


@dataclass(frozen=True, slots=True)
class KnowledgeFacts:
    """Measured facts for the router.

    Attributes:
        tokens: Of the live text, as the embedder counts; what chunks share counts once.
        changes_per_week: Replacements and deletions after a document's first version, in the
            last `window_weeks` weeks or since the first document came in, whichever is
            shorter but never under one week.
        chunk_changes_per_week: Chunks that those ended: their text is in the document no more.
        age_days: Days since the first document came in; None where there never was one.
        unchanged_days: Days since the last addition, replacement or deletion.
        last_change_at: Unix seconds of it.
    """

    documents: int
    chunks: int
    tokens: int
    changes_per_week: float
    chunk_changes_per_week: float
    window_weeks: float
    age_days: float | None
    unchanged_days: float | None
    last_change_at: float | None


@dataclass(frozen=True, slots=True)
class IndexHealth:
    """State of the vector index, for `/ready`."""

    available: bool
    chunks: int
    pending: int
    detail: str


@dataclass(frozen=True, slots=True)
class DocumentText:
    """The stored text of a document's active version."""

    document: Document
    text: str
