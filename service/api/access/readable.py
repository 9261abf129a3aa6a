"""Which uploaded files and texts of records a caller may use: none of a document hidden from it."""

from service.access import Caller, Scope
from service.context import AppContext
from service.errors import FileNotFound, InvalidRequest
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
    if not _may_use(context, caller, file):
        raise FileNotFound(f"There is no file {file_id!r}.", param="file_id")
    return file


def readable_files(
    context: AppContext,
    caller: Caller,
    *,
    purpose: str | None,
    after: str | None,
    newest_first: bool,
    limit: int,
) -> list[UploadedFile]:
    """Return files that the caller may use, as `Files.list` orders them.

    Raises:
        InvalidRequest: There is no file `after`, or none that the caller may use.
    """
    if after is not None:
        try:
            readable_file(context, caller, after)
        except FileNotFound as exc:
            raise InvalidRequest(str(exc), param="after") from exc
    found: list[UploadedFile] = []
    while len(found) < limit:
        page = context.files.list(
            tenant=caller.tenant,
            purpose=purpose,
            after=after,
            newest_first=newest_first,
            limit=limit,
        )
        found += [file for file in page if _may_use(context, caller, file)]
        if len(page) < limit:
            break
        after = page[-1].file_id
    return found[:limit]


def _may_use(context: AppContext, caller: Caller, file: UploadedFile) -> bool:
    return context.knowledge.versions.is_file_readable(
        file.filename,
        file.sha256,
        tenant=caller.tenant,
        access=caller.access_labels,
        base_ids=caller.knowledge_bases,
    )
