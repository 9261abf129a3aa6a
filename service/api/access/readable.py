"""What of documents a caller may read: those with one of its labels; others are as if not there.

And of records of answers, whose texts repeat documents.
"""

from contextlib import suppress

from knowledge import Document, DocumentNotFound, DocumentText
from service.access import Caller, Scope
from service.context import AppContext
from service.errors import FileNotFound
from service.stores.files import UploadedFile
from service.stores.records import Record


def may_read(caller: Caller, document: Document) -> bool:
    """Return whether the caller holds a label of the document, or it has none."""
    held = caller.access_labels
    return not document.access or held is None or not held.isdisjoint(document.access)


def may_read_texts(caller: Caller, record: Record) -> bool:
    """Return whether the caller may read question and answer of a record of its tenant.

    Whoever asked may. So may scope `admin`, unless the answer may rest on documents that its key
    cannot read: it lacks a label that was searched by, or is bound to knowledge bases.
    """
    if caller.key_id is not None and caller.key_id == record.key_id:
        return True
    if not caller.may(Scope.ADMIN) or caller.knowledge_bases is not None:
        return False
    held, searched = caller.access_labels, record.access_labels
    return held is None or (searched is not None and held.issuperset(searched))


def require_readable_file(context: AppContext, caller: Caller, file: UploadedFile) -> None:
    """Refuse an uploaded file whose bytes are those of a document with labels of others.

    Raises:
        FileNotFound: As if there were no such file.
    """
    if caller.access_labels is None:
        return
    for base in context.knowledge.list_bases(tenant=caller.tenant):
        with suppress(DocumentNotFound):
            found = context.knowledge.get_document(
                base.base_id, file.filename, tenant=caller.tenant
            )
            if found.content_hash == file.sha256 and not may_read(caller, found):
                raise FileNotFound(f"There is no file {file.file_id!r}.", param="file_id")


def readable_text(
    context: AppContext, caller: Caller, base_id: str, external_id: str
) -> DocumentText:
    """Return a live document and its text.

    Raises:
        CollectionNotFound: There is no such knowledge base.
        DocumentNotFound: There is no such document, or none that the caller may read.
    """
    found = context.knowledge.document_text(base_id, external_id, tenant=caller.tenant)
    if not may_read(caller, found.document):
        raise DocumentNotFound(f"knowledge base {base_id!r} has no document {external_id!r}")
    return found
