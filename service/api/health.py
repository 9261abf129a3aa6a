"""`/health` (alive) and `/ready` (can answer)."""

from dataclasses import asdict
from typing import Any

from anyio import to_thread
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from sqlalchemy.exc import SQLAlchemyError

from knowledge import find_set_aside
from service.api.dependencies import AppState, state_of
from service.api.error_replies import RETRY_AFTER_S
from service.stores.tables import DEFAULT_TENANT

api = APIRouter(tags=["health"])


@api.get("/health")
async def health() -> dict[str, str]:
    """Say that the process lives; nothing else is asked."""
    return {"status": "alive"}


@api.get("/ready")
async def ready(request: Request) -> Response:
    """Say whether questions are answered: store, model server with its adapters, index."""
    state = state_of(request)
    watch, observed = state.house.watch, state.house.observed
    waiting = list(watch.waiting_for)
    store, index = await to_thread.run_sync(_look, state)
    if not store["ok"]:
        waiting.append(f"store: {store['detail']}")
    body: dict[str, Any] = {
        "ready": not waiting,
        "waiting_for": waiting,
        "engine": {"up": watch.is_up, "base_model": state.house.settings.engine.base_model},
        "store": store,
        "index": index,
        "policy": state.house.policies.as_dict(),
        "observed_policy": None if observed is None else observed.as_dict(),
        "degraded": [] if index["ok"] else ["index"],
    }
    if waiting:
        return JSONResponse(body, status_code=503, headers={"retry-after": RETRY_AFTER_S})
    return JSONResponse(body)


def _look(state: AppState) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        state.jobs.list(tenant=DEFAULT_TENANT, limit=1)
        store: dict[str, Any] = {"ok": True}
        found = find_set_aside(state.house.settings.paths.chroma)
        health = state.house.knowledge.index_health()
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
