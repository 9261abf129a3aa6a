"""`/health` (alive) and `/ready` (can answer)."""

from pathlib import Path

from anyio import to_thread
from fastapi import APIRouter, Response
from sqlalchemy.exc import SQLAlchemyError

from knowledge import find_quarantined
from service.api.http.dependencies import Caller, Context
from service.api.http.error_replies import RETRY_AFTER_S, Responses
from service.api.schemas.health import (
    Alive,
    EngineState,
    IndexState,
    ModelsState,
    PolicyState,
    QuarantinedIndex,
    Readiness,
    StoreState,
    UseCaseWarnings,
)
from service.context import AppContext
from service.home_models import EARLIER, read_models
from service.routing.missing_knowledge import missing_knowledge

api = APIRouter(tags=["health"])

NOT_READY: Responses = {
    503: {"model": Readiness, "description": "Not ready; the body lists what is missing."}
}


@api.get("/health")
async def health() -> Alive:
    """Return that the process is alive; nothing else is checked."""
    return Alive(status="alive")


@api.get("/ready", response_model_exclude_unset=True, responses=NOT_READY)
async def ready(context: Context, caller: Caller, response: Response) -> Readiness:
    """Return whether the service can answer, and list what is missing."""
    engine, shadow = context.engine_status, context.shadow
    waiting = list(engine.waiting_for)
    store, index, use_cases = await to_thread.run_sync(_look, context, caller)
    if not store.ok:
        waiting.append(f"store: {store.detail}")
    if waiting:
        response.status_code = 503
        response.headers["retry-after"] = RETRY_AFTER_S
    return Readiness(
        ready=not waiting,
        waiting_for=waiting,
        engine=EngineState(up=engine.is_up, base_model=context.settings.engine.base_model),
        models=_models(context),
        store=store,
        index=index,
        policy=PolicyState.of(context.policies),
        observed_policy=None if shadow is None else PolicyState.of(shadow),
        degraded=[] if index.ok else ["index"],
        access="api_keys" if await context.keys.exist() else "open_on_loopback",
        use_cases=use_cases,
    )


def _models(context: AppContext) -> ModelsState:
    """Return the models in use; the note is of the embedded ones, where these are in use."""
    settings = context.settings
    kept = read_models(settings.paths) or EARLIER
    embedder = Path(settings.embedder_path).name
    is_own = (settings.engine.base_model, embedder) == (kept.base_model, kept.embedder)
    note = kept.note if is_own and settings.knowledge.next_embedder is None else None
    return ModelsState(base_model=settings.engine.base_model, embedder=embedder, note=note)


def _look(
    context: AppContext, caller: Caller
) -> tuple[StoreState, IndexState, list[UseCaseWarnings]]:
    try:
        context.jobs.list(tenant=caller.tenant, limit=1)
        found = find_quarantined(context.settings.paths.chroma)
        health = context.knowledge.index_health()
        lacking = _lacking(context, caller)
    except SQLAlchemyError as exc:
        store = StoreState(ok=False, detail=type(exc).__name__)
        detail = "unknown while the database is unavailable"
        return store, IndexState(ok=False, pending=0, detail=detail), []
    index = IndexState(
        ok=health.available,
        pending=health.pending,
        detail=health.detail,
        set_aside=None if found is None else QuarantinedIndex.from_value(found),
    )
    return StoreState(ok=True), index, lacking


def _lacking(context: AppContext, caller: Caller) -> list[UseCaseWarnings]:
    """Return the use cases whose knowledge is missing or empty."""
    bases = context.knowledge.list_bases(tenant=caller.tenant)
    chunks: dict[str, int] = {base.base_id: base.chunks for base in bases}
    found = [
        UseCaseWarnings(id=each.id, warnings=missing_knowledge(each, chunks))
        for each in context.use_cases.list(tenant=caller.tenant)
    ]
    return [each for each in found if each.warnings]
