"""What happened to the documents of a knowledge base: versions, newest first."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter

from service.api.dependencies import Caller, Context

api = APIRouter(prefix="/v1/vector_stores", tags=["knowledge"])


@api.get("/{base_id}/history")
def list_history(
    context: Context,
    caller: Caller,
    base_id: str,
    document: str | None = None,
    limit: int = 100,
    after: str | None = None,
) -> dict[str, Any]:
    """List versions of one `document` or of all; `after` is the `id` that ended the page before."""
    limit = max(1, min(limit, 1000))
    found = context.knowledge.history(
        base_id, document, tenant=caller.tenant, limit=limit + 1, after=after
    )
    data = [
        {"id": entry.version_id, "object": "vector_store.document_version", **asdict(entry)}
        for entry in found[:limit]
    ]
    return {"object": "list", "data": data, "has_more": len(found) > limit}
