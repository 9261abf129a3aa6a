"""`Knowledge`: the one object through which everything else uses this room.

It knows which file does what and opens the transactions; the work is in the other files. All
methods are synchronous and may be called from many threads.
"""

from collections.abc import Collection, Sequence

from sqlalchemy import Engine

from knowledge import reconcile, reindexing, tenants
from knowledge.config import Chunking, KnowledgeConfig
from knowledge.embedding import Embedder, Progress
from knowledge.errors import CollectionNotFound, SyncedElsewhere
from knowledge.filters import Filter
from knowledge.history.syncs import FolderSyncs
from knowledge.history.usage import Usage
from knowledge.history.versions import Versions, check_keep_versions
from knowledge.index.vectors import VectorIndex, delete_vectors
from knowledge.ingest import ingest_documents
from knowledge.parsing import Ocr, ParsedText
from knowledge.reranking import Reranker
from knowledge.resources import Resources
from knowledge.search.query import SearchQuery
from knowledge.search.retrieval import retrieve
from knowledge.sql import bases as base_rows
from knowledge.sql import change_rate, documents, versions
from knowledge.sql.bases import Base
from knowledge.sql.history.erasing import Eraser
from knowledge.sql.transaction import write_transaction
from knowledge.types import (
    RETRIEVERS,
    Attributes,
    Document,
    DocumentText,
    IndexCheck,
    IndexHealth,
    IngestReport,
    KnowledgeBase,
    KnowledgeFacts,
    NewDocument,
    ReconcileReport,
    Retrieval,
    RetrieverName,
    Turn,
)


class Knowledge:
    """Documents in, passages out, for every tenant."""

    def __init__(
        self,
        database: Engine,
        index: VectorIndex,
        embedder: Embedder,
        config: KnowledgeConfig | None = None,
        *,
        reranker: Reranker | None = None,
        next_embedder: Embedder | None = None,
    ) -> None:
        """Join database, index and embedders; nothing is contacted or created.

        Args:
            database: The SQL database, with this room's `metadata` created in it.
            index: The vector index; it may be away, and come back, at any time.
            embedder: What the bases were indexed with.
            config: Defaults if left out.
            reranker: Orders the best passages anew, where there is one.
            next_embedder: What `reindex` embeds with, where it is to take the other's place.
                Each base is searched and written with the one that its vectors were made by.

        Raises:
            EmbedderUnavailable: The next embedder is the present one.
        """
        self._resources = Resources(
            database, index, embedder, config or KnowledgeConfig(), reranker, next_embedder
        )
        self._eraser = Eraser(database)
        self.versions = Versions(self._resources, self._eraser)
        self.syncs = FolderSyncs(database)
        self.usage = Usage(database)

    @property
    def embedder(self) -> Embedder:
        """What new bases are embedded with."""
        return self._resources.embedder

    def create_base(
        self,
        name: str,
        *,
        tenant: str,
        base_id: str | None = None,
        chunking: Chunking | None = None,
        keep_versions: int = 0,
        ocr: Ocr = "auto",
    ) -> KnowledgeBase:
        """Make an empty knowledge base.

        Args:
            name: For people.
            tenant: Whose.
            base_id: For addresses; made up if left out.
            chunking: How its documents are cut; as configured if left out.
            keep_versions: How many replaced contents of a document keep their text.
            ocr: Of which pages the text is recognised; see `knowledge.parse`.

        Raises:
            KnowledgeBaseExists: The id is taken in this tenant.
            InvalidName, InvalidQuery: The id is malformed; `keep_versions` is not 0 to 1,000.
        """
        check_keep_versions(keep_versions)
        with write_transaction(self._resources.database) as connection:
            base = base_rows.create_base(
                connection,
                name,
                tenant=tenant,
                base_id=base_id,
                chunking=chunking,
                keep_versions=keep_versions,
                ocr=ocr,
                embedder=self._resources.target,
            )
        return self.get_base(base.base_id, tenant=tenant)

    def change_base(self, base_id: str, *, tenant: str, ocr: Ocr) -> KnowledgeBase:
        """Change how documents sent from now on are read. Raises `CollectionNotFound`."""
        with write_transaction(self._resources.database) as connection:
            base = base_rows.get_base(connection, base_id, tenant=tenant)
            base_rows.change_base(connection, base, ocr=ocr)
        return self.get_base(base_id, tenant=tenant)

    def list_bases(self, *, tenant: str) -> list[KnowledgeBase]:
        """Return the tenant's knowledge bases with their sizes, oldest first."""
        with self._resources.database.connect() as connection:
            return base_rows.list_bases(connection, tenant, None)

    def get_base(self, base_id: str, *, tenant: str) -> KnowledgeBase:
        """Return one knowledge base with its sizes. Raises `CollectionNotFound`."""
        with self._resources.database.connect() as connection:
            found = base_rows.list_bases(connection, tenant, base_id)
        if not found:
            raise CollectionNotFound(f"no knowledge base {base_id!r}; create it first")
        return found[0]

    def delete_base(self, base_id: str, *, tenant: str) -> None:
        """Remove a knowledge base, its documents and history. Raises `CollectionNotFound`."""
        with write_transaction(self._resources.database) as connection:
            base = base_rows.get_base(connection, base_id, tenant=tenant)
            collections = base_rows.delete_base(connection, base)
        self._eraser.erase(at_once=True)
        reconcile.drop_collections(self._resources, collections)

    def delete_tenant(self, tenant: str) -> None:
        """Remove all knowledge bases of a tenant."""
        tenants.delete_tenant(self._resources.database, self._resources.index, tenant)

    def ingest(
        self,
        base_id: str,
        external_id: str,
        filename: str,
        content: bytes,
        *,
        attributes: Attributes | None = None,
        access: Collection[str] | None = None,
        parsed: ParsedText | None = None,
        synced_from: str = "",
        encoding: str | None = None,
        tenant: str,
    ) -> IngestReport:
        """Add a document, or replace the one of the same `external_id`; a retry is safe.

        Args:
            base_id: Where to.
            external_id: The caller's own name for it.
            filename: Decides the format, and is searched as the title.
            content: The raw bytes.
            attributes: Plain values, for filters; None: as `access`.
            access: Labels of which a reader must hold one; see `NewDocument`.
            parsed: What the content says, where it is locked and was read before.
            encoding: Of its text, if not as detected; see `knowledge.parse`.
            synced_from: The folder whose sync sends it; empty: none does.
            tenant: Whose.

        Returns:
            When this returns, the document is searchable and its predecessor is not.

        Raises:
            CollectionNotFound, IngestConflict: The base is not there, or deleted meanwhile.
            UnsupportedFile, UnknownEncoding, EmptyDocument, DocumentTooLarge, InvalidAttributes,
                AccessConflict: Its own fault.
            EmbedderMismatch: The base was indexed by another embedder.
        """
        read = None if access is None else frozenset(access), parsed, synced_from, encoding
        source = NewDocument(external_id, filename, content, attributes, *read)
        return self.ingest_many(base_id, [source], tenant=tenant)[0]

    def ingest_many(
        self,
        base_id: str,
        sources: Sequence[NewDocument],
        *,
        tenant: str,
        progress: Progress | None = None,
    ) -> list[IngestReport]:
        """Add or replace many documents, in windows of 128, the longest first.

        Args:
            base_id: Where to.
            sources: The files.
            tenant: Whose.
            progress: Called with (documents done, documents in all).

        Returns:
            One report per file, in order.

        Raises:
            KnowledgeError: As `ingest`, for the first bad file; earlier windows are in.
            ExternalIdTaken, LabelsNotHeld: Of a source that says which labels its writer holds.
        """
        return ingest_documents(self._resources, self._base(base_id, tenant), sources, progress)

    def delete_document(
        self,
        base_id: str,
        document: str,
        *,
        tenant: str,
        synced_from: str | None = None,
        access: Collection[str] | None = None,
    ) -> Document:
        """Remove a document, by external id or document id, with all its texts, and return it.

        Raises:
            CollectionNotFound, DocumentNotFound: There is none; none that labels of `access` read.
            SyncedElsewhere: `synced_from` is named, and that folder's sync did not write it.
        """
        with write_transaction(self._resources.database) as connection:
            base = base_rows.get_base(connection, base_id, tenant=tenant)
            found = documents.get_document(connection, base, document, access=access)
            if synced_from not in (None, found.synced_from):
                raise SyncedElsewhere(f"{document!r} was not put in by the sync of {synced_from}")
            removed = versions.delete_document(connection, base, found.external_id)
        self._eraser.erase()
        delete_vectors(self._resources.index, base.index.collection, removed)
        return found

    def list_documents(
        self,
        base_id: str,
        *,
        tenant: str,
        access: Collection[str] | None = None,
        limit: int | None = None,
        after: str | None = None,
    ) -> list[Document]:
        """Return the live documents, oldest first, `after` a document id. `CollectionNotFound`."""
        with self._resources.database.connect() as connection:
            base = base_rows.get_base(connection, base_id, tenant=tenant)
            return documents.list_documents(
                connection, base, access=access, limit=limit, after=after
            )

    def get_document(
        self, base_id: str, document: str, *, tenant: str, access: Collection[str] | None = None
    ) -> Document:
        """Return a live document by external id or document id. Raises `DocumentNotFound`."""
        with self._resources.database.connect() as connection:
            base = base_rows.get_base(connection, base_id, tenant=tenant)
            return documents.get_document(connection, base, document, access=access)

    def document_text(
        self, base_id: str, document: str, *, tenant: str, access: Collection[str] | None = None
    ) -> DocumentText:
        """Return a live document and its text; passages' offsets count this text's code points."""
        with self._resources.database.connect() as connection:
            base = base_rows.get_base(connection, base_id, tenant=tenant)
            found = documents.get_document(connection, base, document, access=access)
            return DocumentText(found, documents.document_text(connection, found))

    def retrieve(
        self,
        question: str,
        *,
        base_ids: Sequence[str],
        tenant: str,
        history: Sequence[Turn] = (),
        top_k: int | None = None,
        max_tokens: int | None = None,
        filters: Filter | None = None,
        access: Collection[str] = (),
        min_relevance: float | None = None,
        retrievers: Sequence[RetrieverName] = RETRIEVERS,
    ) -> Retrieval:
        """Return the passages for a question, best first; never text that was deleted.

        Args:
            question: The user's words.
            base_ids: Where to look.
            tenant: Whose.
            history: Earlier turns of both roles, oldest first; used if the question needs them.
            top_k: Most passages; the configured number if left out.
            max_tokens: Most tokens of the passages together, as the embedder counts; the configured
                number if left out. Passages are kept in rank order up to the first that does not
                fit; `passages_over_budget` says how many that cost, and may leave none.
            filters: What must hold of the attributes (`read_filter`).
            access: The labels that the reader holds; documents with other labels are not found.
            retrievers: Which of them are asked; both if left out.
            min_relevance: Relevance that makes a passage `is_relevant`; as configured if left out.

        Returns:
            Passages of too little relevance are marked, not dropped. With Chroma away the lexical
            retriever answers alone, within a second, and `degraded` is true.

        Raises:
            CollectionNotFound: One of the bases does not exist in this tenant.
            InvalidQuery: The caller's mistake.
            EmbedderMismatch: A base was indexed by another embedder.
        """
        config = self._resources.config
        query = SearchQuery(
            question=question,
            history=tuple(history),
            tenant=tenant,
            base_ids=tuple(base_ids),
            top_k=config.top_k if top_k is None else top_k,
            max_tokens=config.context_tokens if max_tokens is None else max_tokens,
            filters=filters,
            access=frozenset(access),
            min_relevance=min_relevance,
            retrievers=tuple(retrievers),
        )
        return retrieve(self._resources, query)

    def reconcile(self, base_id: str, *, tenant: str) -> ReconcileReport:
        """Make a base's vector index agree with SQL, embedding nothing. `CollectionNotFound`."""
        return reconcile.reconcile(
            self._resources, [self._base(base_id, tenant)], whole_store=False
        )

    def reconcile_all(self) -> ReconcileReport:
        """Do so for every base of every tenant, and drop collections that belong to none."""
        return reconcile.reconcile(self._resources, self._all_bases(), whole_store=True)

    def check(self, base_id: str, *, tenant: str) -> IndexCheck:
        """Return what `reconcile` would repair in a base; nothing is changed."""
        return reconcile.check(self._resources, self._base(base_id, tenant))

    def catch_up(self) -> ReconcileReport:
        """Do the cheap part of `reconcile_all`; call it every few seconds, in one process only."""
        self._eraser.catch_up()
        return reconcile.catch_up(self._resources, self._all_bases())

    def rebuild(
        self, base_id: str, *, tenant: str, progress: Progress | None = None
    ) -> ReconcileReport:
        """Fill a new generation of the vector index from stored vectors and swap it in.

        Raises:
            StoreUnavailable: Chroma is away; the old generation goes on serving.
            IndexReplaced: Another generation took its place meanwhile; retryable.
        """
        return reconcile.rebuild(self._resources, self._base(base_id, tenant), progress)

    def reindex(
        self, base_id: str, *, tenant: str, progress: Progress | None = None
    ) -> ReconcileReport:
        """Embed a base again with the next embedder, or the only one, then swap once.

        A process with both embedders uses the old vectors until one transaction swaps, and the new
        ones afterwards. With the new embedder alone the base is refused until the swap
        (`EmbedderMismatch`), with the old alone afterwards. An interrupted re-index is continued.

        Raises:
            CollectionNotFound: There is none; or it was deleted meanwhile.
            IndexReplaced: Another re-index of the base finished first; retryable.
        """
        return reindexing.reindex(self._resources, self._base(base_id, tenant), progress)

    def measure(self, base_ids: Sequence[str], *, tenant: str) -> KnowledgeFacts:
        """Return sizes and rate of change of these bases together. Raises `CollectionNotFound`."""
        with self._resources.database.connect() as connection:
            bases = base_rows.get_bases(connection, base_ids, tenant=tenant)
            return change_rate.measure(connection, [base.pk for base in bases])

    def index_health(self) -> IndexHealth:
        """Return whether the vector index answers and how many vectors wait for it."""
        return reconcile.health(self._resources, self._all_bases())

    def _base(self, base_id: str, tenant: str) -> Base:
        with self._resources.database.connect() as connection:
            return base_rows.get_base(connection, base_id, tenant=tenant)

    def _all_bases(self) -> list[Base]:
        with self._resources.database.connect() as connection:
            return base_rows.all_bases(connection)
