"""`/health` (alive) and `/ready` (can answer)."""

from dataclasses import asdict
from typing import Any

from anyio import to_thread
from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response
from sqlalchemy.exc import SQLAlchemyError

from knowledge import find_quarantined
from service.api.dependencies import Caller, Context
from service.api.error_replies import RETRY_AFTER_S
from service.context import AppContext

api = APIRouter(tags=["health"])


@api.get("/health")
async def health() -> dict[str, str]:
    """Say that the process lives; nothing else is asked."""
    return {"status": "alive"}


@api.get("/ready")
async def ready(context: Context, caller: Caller) -> Response:
    """Say whether questions are answered: store, model server with its adapters, index."""
    watch, observed = context.engine_status, context.shadow
    waiting = list(watch.waiting_for)
    store, index = await to_thread.run_sync(_look, context, caller)
    if not store["ok"]:
        waiting.append(f"store: {store['detail']}")
    body: dict[str, Any] = {
        "ready": not waiting,
        "waiting_for": waiting,
        "engine": {"up": watch.is_up, "base_model": context.settings.engine.base_model},
        "store": store,
        "index": index,
        "policy": context.policies.as_dict(),
        "observed_policy": None if observed is None else observed.as_dict(),
        "degraded": [] if index["ok"] else ["index"],
    }
    if waiting:
        return JSONResponse(body, status_code=503, headers={"retry-after": RETRY_AFTER_S})
    return JSONResponse(body)


def _look(context: AppContext, caller: Caller) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        context.jobs.list(tenant=caller.tenant, limit=1)
        store: dict[str, Any] = {"ok": True}
        found = find_quarantined(context.settings.paths.chroma)
        health = context.knowledge.index_health()
        index = {
            "ok": health.available,
            "pending": health.pending,
            "detail": health.detail,
            "set_aside": None if found is None else asdict(found),
        }
    except SQLAlchemyError as exc:
        store = {"ok": False, "detail": type(exc).__name__}
        index = {"ok": False, "pending": 0, "detail": "unknown while the store is away"}
    return store, index
