"""Builds the gateway: rooms opened, endpoints mounted, background tasks started and ended.

It constructs; what it constructs decides.
"""

import gc
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import anyio
from anyio import to_thread
from fastapi import APIRouter, Depends, FastAPI
from starlette.middleware.body_limit import RequestBodyLimitMiddleware

from service.api import (
    adapters,
    advice,
    chat,
    compare,
    data_checks,
    decisions,
    document_history,
    documents,
    embeddings,
    file_batches,
    files,
    fine_tuning,
    health,
    indexes,
    jobs,
    openai,
    search,
    sources,
    syncs,
    use_cases,
    vector_store_files,
    vector_stores,
)
from service.api.access.gate import protect
from service.api.admin import audit
from service.api.docs import page
from service.api.docs.document import DescribedApp
from service.api.http import error_replies
from service.api.http.audited import audit_of
from service.api.http.guard import Guard
from service.api.http.limited import within_limits
from service.api.idempotency import answered_once
from service.api.idempotency.exchange import ExchangeLayer
from service.api.responses import create as responses
from service.api.review import items as review_items
from service.context import AppContext, open_context
from service.home import Ports
from service.settings import VERSION, Settings

log = logging.getLogger(__name__)

APIS = (
    page.api,
    chat.api,
    advice.api,
    decisions.api,
    openai.api,
    responses.api,
    embeddings.api,
    use_cases.api,
    data_checks.api,
    review_items.api,
    review_items.batches,
    vector_stores.api,
    documents.api,
    document_history.api,
    syncs.api,
    search.api,
    sources.api,
    indexes.api,
    vector_store_files.api,
    file_batches.api,
    fine_tuning.api,
    files.api,
    adapters.api,
    compare.api,
    jobs.api,
    audit.api,
    health.api,
)
ENDPOINTS = APIRouter(
    responses={**error_replies.ERRORS},
    dependencies=[Depends(within_limits)],
)
"""Every endpoint, made ready once: two thirds of what it takes to build an application."""
for _api in APIS:
    ENDPOINTS.include_router(_api, dependencies=audit_of(_api))
protect(ENDPOINTS.routes)

OpenContext = Callable[[Settings, Ports], AppContext]


def create_app(
    settings: Settings, ports: Ports, opening: OpenContext = open_context
) -> DescribedApp:
    """Return the gateway's application; nothing is opened before it starts.

    Args:
        settings: Everything configured.
        ports: Where the inner processes listen.
        opening: How the context is opened; tests open it on small parts.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        context = await to_thread.run_sync(opening, settings, ports)
        app.state.context = context
        gc.collect()
        gc.freeze()  # the libraries' objects stay: searching them for garbage stops every request
        async with anyio.create_task_group() as group:
            group.start_soon(context.adapter_loader.poll)
            group.start_soon(context.records.write_behind)
            group.start_soon(context.cited.write_behind)
            group.start_soon(context.first_replies.renew)
            group.start_soon(context.policies.poll)
            if context.shadow is not None:
                group.start_soon(context.shadow.poll)
            try:
                yield
            finally:
                group.cancel_scope.cancel()
        await context.aclose()

    app = DescribedApp(
        title="Fingerpost",
        version=VERSION,
        description="Chooses between prompting, retrieval, fine-tuning and both, and then does it.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.router.routes.extend(ENDPOINTS.routes)
    protect(app.router.routes)  # those of FastAPI itself: the OpenAPI document
    error_replies.install(app)
    answered_once.install(app)
    app.add_middleware(ExchangeLayer)
    limit = settings.server.max_body_bytes
    app.add_middleware(RequestBodyLimitMiddleware, max_body_size=limit)
    app.add_middleware(Guard, server=settings.server)
    return app
