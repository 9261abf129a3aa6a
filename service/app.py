"""Builds the gateway: rooms opened, endpoints mounted, background tasks started and ended.

It constructs; what it constructs decides.
"""

import gc
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import anyio
from anyio import to_thread
from fastapi import FastAPI
from sqlalchemy import Engine as Database
from starlette.middleware.body_limit import RequestBodyLimitMiddleware

from adapters import AdapterRegistry
from knowledge import (
    ChromaIndex,
    CrossEncoderReranker,
    Knowledge,
    SentenceTransformerEmbedder,
)
from router import DEFAULT_POLICY_FILE
from service.api import (
    advice,
    chat,
    compare,
    data_checks,
    decisions,
    document_history,
    error_replies,
    file_batches,
    fine_tuning,
    health,
    indexes,
    jobs,
    openai,
    training,
    use_cases,
    vector_stores,
)
from service.api.dependencies import AppState
from service.api.guard import Guard
from service.chat.prompts import load_token_counter
from service.context import House, Memory
from service.engine.client import Engine
from service.engine.publisher import Publisher
from service.engine.status import EngineWatch
from service.home import Ports
from service.routing.classifier import classifier_in_force
from service.routing.facts import Measurements
from service.routing.policies import PolicyFile, PolicyInForce
from service.settings import Settings
from service.stores.comparisons import Comparisons
from service.stores.data_checks import DataChecks
from service.stores.database import open_database
from service.stores.files import Files
from service.stores.jobs import Jobs
from service.stores.records import Records
from service.stores.use_cases import UseCases

log = logging.getLogger(__name__)

APIS = (
    chat.api,
    advice.api,
    decisions.api,
    openai.api,
    use_cases.api,
    data_checks.api,
    vector_stores.api,
    document_history.api,
    indexes.api,
    file_batches.api,
    fine_tuning.api,
    training.api,
    compare.api,
    jobs.api,
    health.api,
)


@dataclass(frozen=True, slots=True)
class Rooms:
    """The rooms of one home, opened on its database."""

    database: Database
    knowledge: Knowledge
    registry: AdapterRegistry


OpenRooms = Callable[[Settings, Ports], Rooms]


def open_rooms(settings: Settings, ports: Ports) -> Rooms:
    """Open database, knowledge and adapter registry; loads the embedders (about 8 s each)."""
    database = open_database(settings.database_url)
    config = settings.knowledge
    index = ChromaIndex.connect(
        settings.index.host or "127.0.0.1",
        settings.index.port if settings.index.host else ports.chroma,
        config.chroma_timeout_s,
        write_timeout_s=config.chroma_write_timeout_s,
        breaker_s=config.chroma_breaker_s,
    )
    embedder = SentenceTransformerEmbedder.configured(settings.embedder_path, config)
    next_embedder = SentenceTransformerEmbedder.configured_next(config)
    registry = AdapterRegistry(
        database, settings.paths.adapters, max_lora_rank=settings.adapters.max_lora_rank
    )
    reranker = None
    if config.reranker is not None:
        reranker = CrossEncoderReranker.load(config.reranker, revision=config.reranker_revision)
    knowledge = Knowledge(
        database, index, embedder, config, reranker=reranker, next_embedder=next_embedder
    )
    return Rooms(database, knowledge, registry)


def create_app(settings: Settings, ports: Ports, rooms: OpenRooms = open_rooms) -> FastAPI:
    """Return the gateway's application; nothing is opened before it starts.

    Args:
        settings: Everything configured.
        ports: Where the inner processes listen.
        rooms: How the rooms are opened; tests open them on small parts.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        opened = await to_thread.run_sync(rooms, settings, ports)
        engine = Engine(settings.engine, engine_url(settings, ports))
        state = _state(settings, opened, engine)
        app.state.fingerpost = state
        gc.collect()
        gc.freeze()  # the libraries' objects stay: searching them for garbage stops every request
        async with anyio.create_task_group() as group:
            group.start_soon(state.publisher.keep_watch)
            group.start_soon(state.house.records.write_behind)
            group.start_soon(state.house.policies.keep_watch)
            if state.house.observed is not None:
                group.start_soon(state.house.observed.keep_watch)
            try:
                yield
            finally:
                group.cancel_scope.cancel()
        await engine.aclose()
        opened.database.dispose()

    app = FastAPI(title="Fingerpost", lifespan=lifespan, docs_url=None, redoc_url=None)
    for api in APIS:
        app.include_router(api)
    error_replies.install(app)
    limit = settings.server.max_body_bytes
    app.add_middleware(RequestBodyLimitMiddleware, max_body_size=limit)
    app.add_middleware(Guard, max_body_bytes=limit)
    return app


def engine_url(settings: Settings, ports: Ports) -> str:
    """Return the model server's address: the configured one, or our child's."""
    return settings.engine.url or f"http://127.0.0.1:{ports.engine}"


def _state(settings: Settings, rooms: Rooms, engine: Engine) -> AppState:
    watch = EngineWatch()
    memory = Memory()
    observed = settings.observed_policy_file
    comparisons, checks = Comparisons(rooms.database), DataChecks(rooms.database)
    house = House(
        settings=settings,
        engine=engine,
        watch=watch,
        knowledge=rooms.knowledge,
        policies=PolicyInForce(settings.policy_file or DEFAULT_POLICY_FILE),
        classifier=classifier_in_force(settings.paths),
        use_cases=UseCases(rooms.database),
        measurements=Measurements(rooms.knowledge, rooms.registry, comparisons, checks),
        records=Records(rooms.database, settings.records),
        count_tokens=load_token_counter(settings.base_model_path),
        observed=None if observed is None else PolicyFile(observed),
        memory=memory,
    )
    publisher = Publisher(
        engine,
        watch,
        rooms.registry,
        base_model=settings.engine.base_model,
        changed=memory.forget,
    )
    jobs_ = Jobs(
        rooms.database, lease_s=settings.jobs.lease_s, max_attempts=settings.jobs.max_attempts
    )
    return AppState(house, jobs_, Files(rooms.database), comparisons, checks, publisher)
