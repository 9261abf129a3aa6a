"""The tables of the room: the truth about documents, versions, chunks and vectors.

It knows columns and constraints; it does not know who reads or writes them. Everything is
portable SQL but the FTS5 table, which only SQLite gets.

A chunk counts only while `kb_documents.active_version` points at its version: replacing a
document is one UPDATE of that pointer.
"""

from sqlalchemy import (
    DDL,
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    event,
)

metadata = MetaData()

bases = Table(
    "kb_bases",
    metadata,
    Column("pk", Integer, primary_key=True),
    Column("tenant", String(64), nullable=False),
    Column("base_id", String(64), nullable=False),
    Column("name", String(256), nullable=False),
    Column("created_at", Float, nullable=False),
    Column("chunking", JSON),  # NULL: as configured
    Column("keep_versions", Integer, nullable=False, default=0),  # replaced ones that keep text
    Column("citations_since", Float),  # when citations began to be noted; NULL: with the base
    Column("ocr", String(8)),  # auto | always | never; NULL: auto
    UniqueConstraint("tenant", "base_id"),
    sqlite_autoincrement=True,
)

indexes = Table(  # one row per generation of a base's Chroma collection; one of them is active
    "kb_indexes",
    metadata,
    Column("pk", Integer, primary_key=True),
    Column("tenant", String(64), nullable=False),
    Column("base_pk", ForeignKey("kb_bases.pk", ondelete="CASCADE"), nullable=False, index=True),
    Column("generation", Integer, nullable=False),
    Column("collection", String(128), nullable=False, unique=True),
    Column("embedding_model", String(256), nullable=False),
    Column("embedding_revision", String(128), nullable=False),
    Column("dimension", Integer, nullable=False),
    Column("state", String(16), nullable=False),  # building | reindexing | active
    Column("removed", Integer, nullable=False, default=0),  # vectors deleted since it was made
    Column("created_at", Float, nullable=False),  # while reindexing: when it was last worked on
    sqlite_autoincrement=True,
)

documents = Table(
    "kb_documents",
    metadata,
    Column("pk", Integer, primary_key=True),
    Column("tenant", String(64), nullable=False),
    Column("base_pk", ForeignKey("kb_bases.pk", ondelete="CASCADE"), nullable=False),
    Column("document_id", String(64), nullable=False, unique=True),
    Column("external_id", String(512), nullable=False),
    Column("active_version", Integer),  # kb_versions.pk; NULL: deleted, or nothing active yet
    Column("created_at", Float, nullable=False),
    Column("cited_at", Float),  # when an answer last cited it, to the hour
    UniqueConstraint("base_pk", "external_id"),
    sqlite_autoincrement=True,
)

versions = Table(  # history stays; of a retired version, text only where the base keeps versions
    "kb_versions",
    metadata,
    Column("pk", Integer, primary_key=True),
    Column("tenant", String(64), nullable=False),
    Column("base_pk", ForeignKey("kb_bases.pk", ondelete="CASCADE"), nullable=False),
    Column("document_pk", ForeignKey("kb_documents.pk", ondelete="CASCADE"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("state", String(16), nullable=False),  # staged | active | retired | tombstone
    Column("change", String(16)),  # added | replaced | annotated | deleted; NULL while staged
    Column("content_hash", String(64), nullable=False),
    Column("filename", String(512), nullable=False),
    Column("format", String(16), nullable=False),
    Column("encoding", String(32)),
    Column("attributes", JSON, nullable=False),
    Column("access", JSON(none_as_null=True)),  # a reader needs one of these; NULL: everybody may
    Column("bytes", Integer, nullable=False),
    Column("chars", Integer, nullable=False),
    Column("tokens", Integer, nullable=False),
    Column("chunks", Integer, nullable=False),
    Column("chunking", String(64), nullable=False),
    Column("created_at", Float, nullable=False),
    Column("activated_at", Float),
    Column("chunks_outdated", Integer),  # chunks of the version before that this change ended
    Column("text", Text),
    Column("left_out", JSON(none_as_null=True)),  # [what, where, why] of what was not read
    Column("ocr", String(8)),  # the base's setting when it was read; NULL: there was none yet
    Column("text_hash", String(64)),  # of its letters alone; NULL: written before there was one
    Column("synced_from", Text),  # the folder whose sync wrote it; "": none; NULL: not recorded
    Column("restores", Integer),  # number of the version whose text it took back
    Column("layout", JSON(none_as_null=True)),  # chunks of a retired version whose text is kept
    UniqueConstraint("document_pk", "version"),
    Index("kb_versions_by_content", "base_pk", "content_hash"),
    Index("kb_versions_by_text", "base_pk", "text_hash"),
    Index(  # all that `change` reads: 20,000 versions in 18 ms, 92 from the rows
        "kb_versions_by_change",
        "base_pk",
        "activated_at",
        "state",
        "change",
        "chunks",
        "tokens",
        "chunks_outdated",
    ),
    sqlite_autoincrement=True,
)

attributes = Table(  # the same attributes once more, one row each, for filters
    "kb_attributes",
    metadata,
    Column(
        "version_pk",
        ForeignKey("kb_versions.pk", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("key", String(64), primary_key=True),
    Column("value", String(1024), nullable=False),  # JSON text, so that 1 and "1" differ
    Index("kb_attributes_by_value", "key", "value"),
)

access = Table(  # the same labels once more, one row each, for retrieval
    "kb_access",
    metadata,
    Column(
        "version_pk",
        ForeignKey("kb_versions.pk", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("label", String(64), primary_key=True),
    Column("base_pk", Integer, nullable=False, index=True),
)

guarded_pieces = Table(  # of each document with labels, also when it is deleted (`fingerprints`)
    "kb_guarded_pieces",
    metadata,
    Column(
        "document_pk",
        ForeignKey("kb_documents.pk", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("piece", BigInteger, primary_key=True),
    Column("base_pk", Integer, nullable=False),
    Index("kb_guarded_pieces_by_piece", "base_pk", "piece", "document_pk"),
)

chunks = Table(
    "kb_chunks",
    metadata,
    Column("pk", Integer, primary_key=True),
    Column("tenant", String(64), nullable=False),
    Column("base_pk", ForeignKey("kb_bases.pk", ondelete="CASCADE"), nullable=False),
    Column("document_pk", ForeignKey("kb_documents.pk", ondelete="CASCADE"), nullable=False),
    Column(
        "version_pk",
        ForeignKey("kb_versions.pk", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("chunk_id", String(64), nullable=False, unique=True),
    Column("ordinal", Integer, nullable=False),
    Column("text", Text, nullable=False),
    Column("start", Integer, nullable=False),  # code points in the document's text
    Column("end", Integer, nullable=False),
    Column("parent_start", Integer),  # the larger piece that is read once this one is found
    Column("parent_end", Integer),
    Column("lead", Text),  # title and header rows of the table that it goes on with
    Column("page", Integer),
    Column("page_end", Integer),  # where it goes on over a page break
    Column("sheet", Text),
    Column("ocr_confidence", Float),  # of text recognised in a picture; NULL: of any other
    Column("heading", Text, nullable=False),
    Column("tokens", Integer, nullable=False),
    Column("vector", LargeBinary, nullable=False),  # float16, L2-normalised, `dimension` long
    Column("index_pk", Integer),  # kb_indexes row whose collection holds the vector
    Index("kb_chunks_by_index", "base_pk", "index_pk"),
    sqlite_autoincrement=True,
)

next_vectors = Table(  # of a re-index: they count once their generation serves, then are moved
    "kb_next_vectors",
    metadata,
    Column("chunk_pk", ForeignKey("kb_chunks.pk", ondelete="CASCADE"), primary_key=True),
    Column("index_pk", ForeignKey("kb_indexes.pk", ondelete="CASCADE"), nullable=False, index=True),
    Column("vector", LargeBinary, nullable=False),  # as in kb_chunks
    Column("is_indexed", Boolean, nullable=False),  # the generation's collection holds it
)

syncs = Table(  # the last run of each folder that is synchronised with a base
    "kb_syncs",
    metadata,
    Column("pk", Integer, primary_key=True),
    Column("base_pk", ForeignKey("kb_bases.pk", ondelete="CASCADE"), nullable=False, index=True),
    Column("sync_id", String(64), nullable=False, unique=True),
    Column("source", Text, nullable=False),  # what versions name in `synced_from`
    Column("state", String(16), nullable=False),  # unfinished | finished | partial | failed | …
    Column("began_at", Float, nullable=False),
    Column("heard_at", Float, nullable=False),  # when it last said how far it is
    Column("ended_at", Float),
    Column("report", JSON, nullable=False),
    sqlite_autoincrement=True,
)

LEXICAL_TABLE = "kb_lexical"
"""FTS5 over token strings made by `full_text.segment`; porter folds English word endings (lexical
hit@5 on support_en 0.41 -> 0.50). Row ids: `full_text.CHUNK_BITS`."""

event.listen(
    metadata,
    "after_create",
    DDL(
        f"CREATE VIRTUAL TABLE IF NOT EXISTS {LEXICAL_TABLE} USING fts5("
        "title, heading, body, tokenize='porter unicode61 remove_diacritics 2')"
    ).execute_if(dialect="sqlite"),  # type: ignore[no-untyped-call]  # SQLAlchemy 2.1 DDL
)
event.listen(
    metadata,
    "before_drop",
    DDL(f"DROP TABLE IF EXISTS {LEXICAL_TABLE}").execute_if(dialect="sqlite"),  # type: ignore[no-untyped-call]  # SQLAlchemy 2.1 DDL
)
