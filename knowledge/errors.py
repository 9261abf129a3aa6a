"""The errors of knowledge/, drawn as a tree.

KnowledgeError
├── CollectionNotFound          no knowledge base of that id in this tenant
├── KnowledgeBaseExists         the id is taken
├── DocumentNotFound            the knowledge base holds no such document
├── VersionNotFound             the document never had a version of that number
├── TextNotKept                 the version was replaced, and its text is gone
├── SyncNotFound                no such run of a sync, or a later one took its place
├── UnsupportedFile             binary, undecodable, or of an unsupported format
├── UnknownEncoding             text cannot be read in an encoding of that name
├── DocumentTooLarge            more bytes than the configuration allows
├── EmptyDocument               it holds no text
│   └── NoTextLayer             … because it is pictures, and none was recognised
├── PasswordRequired            the file is protected by a password
│   └── WrongPassword           … and the password given does not open it
├── DamagedFile                 truncated, corrupt or malformed
├── ParseLimitExceeded          reading it would take more than the configuration allows
├── InvalidAttributes           attributes break the limits (16 keys, plain values)
├── AccessConflict              a document without labels follows two that are guarded differently
├── ExternalIdTaken             by a document that whoever writes may not read
├── LabelsNotHeld               whoever writes a document could not read it
├── InvalidName                 a malformed knowledge base id or external id
├── InvalidFilter               a filter that cannot be read; the message says where
├── InvalidQuery                the question is empty, or a number out of bounds
├── EmbedderMismatch            the index was made by another embedder
│   └── EmbeddingDimensionMismatch  … whose vectors have another length
├── EmbedderUnavailable         the embedder cannot be loaded
├── RerankerUnavailable         the configured reranker cannot be loaded
├── StoreUnavailable            the vector index gave no answer in time
│   └── StoreRefused            … or answered that it cannot: often a damaged collection
├── StorageFull                 the disk of the database is full; reads continue
├── VectorsMissing              the vector index lost this collection; reconcile brings it back
├── IndexReplaced               another rebuild or re-index finished first
├── TooFewQuestions             too few labelled questions to fit min_relevance
├── IngestConflict              the same document was changed meanwhile
└── SyncedElsewhere             to be deleted for a sync that did not put it in

It knows nothing of HTTP: `service/errors.py` gives each leaf its status.
"""

from typing import ClassVar


class KnowledgeError(Exception):
    """Root of the errors of knowledge/; the message says what to do."""

    code: ClassVar[str] = "knowledge_error"
    retryable: ClassVar[bool] = False
    hint: ClassVar[str] = "See the message."


class CollectionNotFound(KnowledgeError):
    """No knowledge base of that id in this tenant."""

    code = "knowledge_base_not_found"
    hint = "List the knowledge bases and use one of their ids, or create it first."


class KnowledgeBaseExists(KnowledgeError):
    """The id is taken."""

    code = "knowledge_base_exists"
    hint = "Choose another id, or use the existing knowledge base."


class DocumentNotFound(KnowledgeError):
    """The knowledge base holds no such document."""

    code = "document_not_found"
    hint = "List the documents of the knowledge base."


class VersionNotFound(KnowledgeError):
    """The document never had a version of that number, or it is the entry of its deletion."""

    code = "version_not_found"
    hint = "`fingerpost kb history BASE DOCUMENT` lists the versions."


class TextNotKept(KnowledgeError):
    """The version was replaced or deleted, and its text was not kept."""

    code = "text_not_kept"
    hint = (
        "`fingerpost kb update BASE --keep-versions N` keeps the texts of N replaced versions of "
        "each document from then on."
    )


class SyncNotFound(KnowledgeError):
    """There is no such run of a sync, or a later run of the folder took its place."""

    code = "sync_not_found"
    hint = "List the syncs of the knowledge base; each folder has its last run."


class UnsupportedFile(KnowledgeError):
    """The file is binary, undecodable, or of an unsupported format."""

    code = "unsupported_file"
    hint = (
        "Send PDF, DOCX, XLSX, PPTX, HTML, EPUB, EML, CSV, JSON, JSONL, Markdown, plain text, or "
        "pictures of text: PNG, JPEG, TIFF, WebP."
    )


class UnknownEncoding(KnowledgeError):
    """Text cannot be read in an encoding of that name."""

    code = "unknown_encoding"
    hint = "Write one of the names in the message, or leave the encoding out: it is detected."


class DocumentTooLarge(KnowledgeError):
    """The file has more bytes than the configuration allows."""

    code = "document_too_large"
    hint = "Split the document, or raise knowledge.max_document_bytes."


class EmptyDocument(KnowledgeError):
    """The file holds no text."""

    code = "empty_document"
    hint = "Send a document that contains text; to remove a document, delete it."


class NoTextLayer(EmptyDocument):
    """The file is pictures, and no text was recognised in them."""

    code = "no_text"
    hint = "Scan it again, sharper, or send its text; `ocr` of the base must not be never."


class PasswordRequired(KnowledgeError):
    """The file is protected by a password."""

    code = "password_required"
    hint = "For a PDF, send its `password` too. Save any other file without one and send that."


class WrongPassword(PasswordRequired):
    """The file is protected, and the password given does not open it."""

    code = "wrong_password"
    hint = "Correct the `password`, or save the file without one and send that."


class DamagedFile(KnowledgeError):
    """The file is truncated, corrupt or malformed."""

    code = "damaged_file"
    hint = "Open it in the program that made it, save it again and send that file."


class ParseLimitExceeded(KnowledgeError):
    """Reading the file would take more memory, time, pages or text than is allowed."""

    code = "parse_limit_exceeded"
    hint = "Split the document, or raise the limit of knowledge.* named in the message."


class InvalidAttributes(KnowledgeError):
    """The attributes break the limits."""

    code = "invalid_attributes"
    hint = "At most 16 attributes: keys up to 64 characters; text up to 512, number or boolean."


class AccessConflict(KnowledgeError):
    """A document came without labels, and those that it follows are guarded by different ones."""

    code = "access_conflict"
    hint = "Name its labels: --access LABEL or access_labels; --access none or [] for everybody."


class ExternalIdTaken(KnowledgeError):
    """A document has or had this external id, and whoever writes may not read it."""

    code = "external_id_taken"
    hint = "Choose another external id, or use a key that holds the labels of that document."


class LabelsNotHeld(KnowledgeError):
    """Whoever writes a document holds none of the labels that it would have."""

    code = "labels_not_held"
    hint = "Send access_labels of which the key holds one, or use a key with those labels."


class InvalidName(KnowledgeError):
    """The id of a knowledge base, or the external id of a document, is malformed."""

    code = "invalid_name"
    hint = "Base ids: letters, digits, . _ - and at most 64; external ids: 1 to 512 characters."


class InvalidFilter(KnowledgeError):
    """A filter cannot be read: an unknown operator, a wrong type, too deep or too long."""

    code = "invalid_filter"
    hint = (
        'Write {"NAME": VALUE}, or {"type": "eq", "key": "NAME", "value": VALUE} with eq, ne, gt, '
        'gte, lt, lte, in or nin; join them by {"type": "and", "filters": [...]} or "or".'
    )


class InvalidQuery(KnowledgeError):
    """The question is empty, or a number out of bounds."""

    code = "invalid_query"
    hint = "Ask a question that is not blank; top_k and max_tokens are at least 1."


class EmbedderMismatch(KnowledgeError):
    """The stored vectors were made by another embedder."""

    code = "embedder_mismatch"
    hint = "Configure the embedder the index was made with, or re-index the knowledge base."


class EmbeddingDimensionMismatch(EmbedderMismatch):
    """The stored vectors have another length than the embedder's."""

    code = "embedding_dimension_mismatch"


class EmbedderUnavailable(KnowledgeError):
    """The embedder cannot be loaded."""

    code = "embedder_unavailable"
    hint = "Set knowledge.embedder to a prepared folder or a Hugging Face id that is on disk."


class RerankerUnavailable(KnowledgeError):
    """The configured reranker cannot be loaded."""

    code = "reranker_unavailable"
    retryable = False
    hint = "Set knowledge.reranker to a folder or Hugging Face id of a CrossEncoder."


class StoreUnavailable(KnowledgeError):
    """The vector index gave no answer in time; a retry is safe."""

    code = "vector_store_unavailable"
    retryable = True
    hint = "Check that Chroma is running. Until then, search uses the lexical index only."


class StoreRefused(StoreUnavailable):
    """The vector index answered that it cannot do this; a damaged collection is rebuilt."""

    code = "vector_store_refused"
    hint = "The worker rebuilds a damaged collection from SQL; the message quotes Chroma."


class StorageFull(KnowledgeError):
    """The disk of the database is full: nothing was written, reads continue."""

    code = "storage_full"
    retryable = True
    hint = "Free disk space and send it again; no restart is needed."


class VectorsMissing(KnowledgeError):
    """The vector index does not hold this collection; reconcile rebuilds it from SQL."""

    code = "vectors_missing"
    retryable = True
    hint = "Run `fingerpost kb reconcile`; the vectors are stored in SQL and need no re-embedding."


class IngestConflict(KnowledgeError):
    """The same document was deleted or replaced while it was being ingested."""

    code = "ingest_conflict"
    retryable = True
    hint = "Send the document again."


class SyncedElsewhere(KnowledgeError):
    """A document that a sync wants to delete was put in by somebody else."""

    code = "synced_elsewhere"
    hint = "Leave it, or delete it for everybody: without `synced_from`, `fingerpost kb rm`."


class IndexReplaced(KnowledgeError):
    """Another rebuild or re-index finished first and serves now; nothing is lost."""

    code = "index_replaced"
    retryable = True
    hint = "Run `fingerpost kb check`; start it again if it is still needed."


class TooFewQuestions(KnowledgeError):
    """There are too few labelled questions to fit min_relevance."""

    code = "too_few_questions"
    hint = "Add answerable questions: a few hundred give a reliable min_relevance."
