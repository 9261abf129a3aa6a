"""Which uploaded files and texts of records a caller may use: none of a document hidden from it."""

from service.access import Caller, Scope
from service.context import AppContext
from service.errors import FileNotFound
from service.stores.files import UploadedFile
from service.stores.records import Record


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


def readable_file(context: AppContext, caller: Caller, file_id: str) -> UploadedFile:
    """Return an uploaded file, unless its name and bytes are those of a document hidden from it.

    Raises:
        FileNotFound: There is no such file, or none that the caller may use.
    """
    file = context.files.get(file_id, tenant=caller.tenant)
    if not context.knowledge.versions.is_file_readable(
        file.filename,
        file.sha256,
        tenant=caller.tenant,
        access=caller.access_labels,
        base_ids=caller.knowledge_bases,
    ):
        raise FileNotFound(f"There is no file {file_id!r}.", param="file_id")
    return file
