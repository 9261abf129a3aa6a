"""A document's text, where the caller holds one of its labels; otherwise as if there were none."""

from knowledge import DocumentNotFound, DocumentText
from service.access import Caller
from service.context import AppContext


def readable_text(
    context: AppContext, caller: Caller, base_id: str, external_id: str
) -> DocumentText:
    """Return a live document and its text.

    Raises:
        CollectionNotFound: There is no such knowledge base.
        DocumentNotFound: There is no such document, or none that the caller may read.
    """
    found = context.knowledge.document_text(base_id, external_id, tenant=caller.tenant)
    labels, held = found.document.access, caller.access_labels
    if labels and held is not None and held.isdisjoint(labels):
        raise DocumentNotFound(f"knowledge base {base_id!r} has no document {external_id!r}")
    return found
