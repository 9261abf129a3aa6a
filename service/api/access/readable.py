"""Which uploaded files a caller may use: none of a document that it may not read."""

from service.access import Caller
from service.context import AppContext
from service.errors import FileNotFound
from service.stores.files import UploadedFile


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
