"""Which scope every endpoint needs: one table, and an endpoint without a row cannot be mounted.

It knows methods and paths as they are declared. The need is tied to the route itself, so the text
of an address decides nothing; `api/access/gate.py` enforces it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from service.access import Scope

Exemption = Literal["always", "on_this_machine", "public_docs", "signed_link"]


@dataclass(frozen=True, slots=True)
class Needs:
    """What a caller needs for an endpoint.

    Attributes:
        scopes: One of these; none: any key will do.
        exempt: When no key is needed.
    """

    scopes: tuple[Scope, ...] = ()
    exempt: Exemption | None = None


OPEN = Needs(exempt="always")
DOCS = Needs(exempt="public_docs")
READINESS = Needs((Scope.ADMIN,), exempt="on_this_machine")
CITED_PAGE = Needs((Scope.KB_READ,), exempt="signed_link")
ANY_KEY = Needs()
CHAT = Needs((Scope.CHAT,))
READ = Needs((Scope.KB_READ,))
WRITE = Needs((Scope.KB_WRITE,))
TRAIN = Needs((Scope.TRAIN,))
EXPERIMENTS = Needs((Scope.EXPERIMENTS,))
ADMIN = Needs((Scope.ADMIN,))
UPLOADS = Needs((Scope.KB_WRITE, Scope.TRAIN))  # documents, and rows to train on
JOBS = Needs((Scope.KB_WRITE, Scope.TRAIN, Scope.EXPERIMENTS))  # whoever starts one
STORE = "/v1/vector_stores/{base_id}"
RUN = "/v1/fine_tuning/jobs/{job_id}"

NEEDS: Mapping[str, Needs] = {
    "GET /health": OPEN,
    "GET /ready": READINESS,
    "GET /": DOCS,
    "GET /docs": DOCS,
    "GET /docs/docs.js": DOCS,
    "GET /docs/docs.css": DOCS,
    "GET /openapi.json": DOCS,
    "GET /sources.css": OPEN,  # the style of the cited pages, which need no key; it says nothing
    "GET /sources/{base_id}/{external_id:path}": CITED_PAGE,
    "POST /chat": CHAT,
    "POST /route": CHAT,
    "POST /v1/chat/completions": CHAT,
    "POST /v1/responses": CHAT,
    "POST /v1/embeddings": CHAT,
    "GET /v1/models": ANY_KEY,  # clients ask for them before anything else
    "GET /v1/models/{model:path}": ANY_KEY,
    "GET /decisions/{request_id}": CHAT,
    "GET /audit": ADMIN,
    "POST /advise": EXPERIMENTS,
    "GET /observations": EXPERIMENTS,
    "POST /compare": EXPERIMENTS,
    "GET /compare": EXPERIMENTS,
    "GET /compare/{comparison_id}": EXPERIMENTS,
    "GET /compare/{comparison_id}/outcomes": EXPERIMENTS,
    "GET /compare/{comparison_id}/regret": EXPERIMENTS,
    "GET /use_cases": CHAT,
    "GET /use_cases/{use_case_id}": CHAT,
    "PUT /use_cases/{use_case_id}": ADMIN,
    "DELETE /use_cases/{use_case_id}": ADMIN,
    "POST /use_cases/{use_case_id}/data_checks": TRAIN,
    "GET /use_cases/{use_case_id}/data_checks": TRAIN,
    "GET /use_cases/{use_case_id}/data_checks/{check_id}": TRAIN,
    "POST /review_items": TRAIN,
    "GET /review_items": TRAIN,
    "GET /review_items/{item_id}": TRAIN,
    "POST /review_items/{item_id}/accept": TRAIN,
    "POST /review_items/{item_id}/edit": TRAIN,
    "POST /review_items/{item_id}/reject": TRAIN,
    "GET /review_batches": TRAIN,
    "DELETE /review_batches/{batch:path}": TRAIN,
    "POST /v1/vector_stores": WRITE,
    "GET /v1/vector_stores": READ,
    f"GET {STORE}": READ,
    f"POST {STORE}": WRITE,
    f"DELETE {STORE}": WRITE,
    f"GET {STORE}/documents": READ,
    f"GET {STORE}/documents/{{external_id:path}}": READ,
    f"PUT {STORE}/documents/{{external_id:path}}": WRITE,
    f"DELETE {STORE}/documents/{{external_id:path}}": WRITE,
    f"GET {STORE}/history": READ,
    f"GET {STORE}/version": READ,
    f"GET {STORE}/diff": READ,
    f"POST {STORE}/rollback": WRITE,
    f"GET {STORE}/stale": READ,
    f"GET {STORE}/syncs": READ,
    f"POST {STORE}/syncs": WRITE,
    f"POST {STORE}/syncs/{{sync_id}}": WRITE,
    f"POST {STORE}/search": READ,
    f"POST {STORE}/reconcile": WRITE,
    f"GET {STORE}/check": READ,
    f"POST {STORE}/rebuild": WRITE,
    f"POST {STORE}/reindex": WRITE,
    f"POST {STORE}/files": WRITE,
    f"GET {STORE}/files": READ,
    f"GET {STORE}/files/{{file_id}}": READ,
    f"POST {STORE}/files/{{file_id}}": WRITE,
    f"DELETE {STORE}/files/{{file_id}}": WRITE,
    f"GET {STORE}/files/{{file_id}}/content": READ,
    f"POST {STORE}/file_batches": WRITE,
    f"GET {STORE}/file_batches/{{batch_id}}": READ,
    f"GET {STORE}/file_batches/{{batch_id}}/files": READ,
    f"POST {STORE}/file_batches/{{batch_id}}/cancel": WRITE,
    "POST /v1/files": UPLOADS,
    "GET /v1/files": UPLOADS,
    "GET /v1/files/{file_id}": UPLOADS,
    "GET /v1/files/{file_id}/content": TRAIN,
    "DELETE /v1/files/{file_id}": UPLOADS,
    "POST /v1/fine_tuning/jobs": TRAIN,
    "GET /v1/fine_tuning/jobs": TRAIN,
    f"GET {RUN}": TRAIN,
    f"GET {RUN}/events": TRAIN,
    f"GET {RUN}/checkpoints": TRAIN,
    f"POST {RUN}/cancel": TRAIN,
    f"POST {RUN}/pause": TRAIN,
    f"POST {RUN}/resume": TRAIN,
    "GET /adapters": TRAIN,
    "GET /adapters/{name}": TRAIN,
    "POST /adapters/{adapter_id}/publish": TRAIN,
    "POST /adapters/{task}/rollback": TRAIN,
    "POST /adapters/{task}/withdraw": TRAIN,
    "POST /adapters/{adapter_id}/retire": TRAIN,
    "GET /jobs": JOBS,
    "GET /jobs/{job_id}": JOBS,
    "POST /jobs/{job_id}/cancel": JOBS,
}


def needs_of(path: str, methods: set[str]) -> Needs:
    """Return what a route needs, by its path as declared.

    Raises:
        LookupError: The route has no row, or its methods have different needs.
    """
    found = {NEEDS.get(f"{method} {path}") for method in methods - {"HEAD"}}
    if len(found) != 1 or None in found:
        raise LookupError(f"no single row of NEEDS is for {sorted(methods)} {path}")
    (needs,) = found
    assert needs is not None
    return needs
