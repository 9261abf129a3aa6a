"""`/sources/…`: the page that a citation's link leads to, with the passage marked in its document.

The link holds the place of the passage and the version it was found in; a document that was
replaced since is shown as it is now, and that is said.
"""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from knowledge import Passage
from service.api.access.links import signed_query
from service.api.http.dependencies import Caller, Context
from service.chat.question import Question
from service.context import AppContext
from service.messages.spoken import content_language, say

api = APIRouter(prefix="/sources")

PAGES = Path(__file__).parent / "docs" / "pages"
POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'"
_pages = Environment(
    loader=FileSystemLoader(PAGES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)
LinkOf = Callable[[Passage], str]
Place = Annotated[int, Query(ge=0)]


def links_of(request: Request, context: AppContext, question: Question) -> LinkOf:
    """Return what gives each passage of an answer its address, signed where there are keys.

    Args:
        request: Its base address is that of the gateway, unless one is configured.
        context: Holds the secret.
        question: Whose tenant and labels the link is good for.
    """
    server = context.settings.server.public_url or str(request.base_url)
    if request.scope["caller"].key_id is None:
        return partial(source_link, server=server)

    def link(passage: Passage) -> str:
        query = signed_query(
            context.links,
            (question.tenant, passage.knowledge_base, passage.external_id),
            question.access_labels,
            now=time.time(),
        )
        return source_link(passage, server, query)

    return link


def source_link(passage: Passage, server: str, signed: str = "") -> str:
    """Return the address of a passage's page.

    Args:
        passage: Of the document that the page shows.
        server: Such as `http://127.0.0.1:8080`.
        signed: Parameters by which the page needs no key.
    """
    path = f"/sources/{quote(passage.knowledge_base)}/{quote(passage.external_id)}"
    place = f"version={passage.version}&start={passage.start}&end={passage.end}"
    query = f"{place}&{signed}" if signed else place
    return f"{server.rstrip('/')}{path}?{query}#passage"


@api.get("/{base_id}/{external_id:path}", include_in_schema=False)
def show_source(
    context: Context,
    caller: Caller,
    base_id: str,
    external_id: str,
    *,
    version: int | None = None,
    start: Place = 0,
    end: Place = 0,
) -> HTMLResponse:
    """Show a document with one passage of it marked."""
    found = context.knowledge.document_text(
        base_id, external_id, tenant=caller.tenant, access=caller.access_labels
    )
    is_current = version in (None, found.document.version)
    first, last = (start, end) if is_current else (0, 0)
    page = _pages.get_template("source.html.jinja").render(
        language=content_language(),
        document=found.document,
        before=found.text[:first],
        passage=found.text[first:last],
        after=found.text[max(first, last) :],
        about=say(
            "source.about",
            base=found.document.base_id,
            version=found.document.version,
        ),
        changed="" if is_current else say("source.changed", version=version),
    )
    return HTMLResponse(
        page,
        headers={
            "content-security-policy": POLICY,
            "x-content-type-options": "nosniff",
            "content-language": content_language(),
            "vary": "accept-language",
        },
    )
