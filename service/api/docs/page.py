"""`/` and `/docs`: the entry point and the API reference; no request leaves this host."""

from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse

from service.api.schemas.health import Links, Welcome
from service.settings import VERSION

api = APIRouter(tags=["documentation"])

PAGES = Path(__file__).parent / "pages"
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)


@api.get("/")
async def welcome() -> Welcome:
    """Return name, version and links."""
    return Welcome(
        name="Fingerpost",
        version=VERSION,
        links=Links(
            docs="/docs",
            openapi="/openapi.json",
            health="/health",
            ready="/ready",
            chat="/chat",
            models="/v1/models",
        ),
    )


@api.get("/docs", include_in_schema=False)
async def docs() -> FileResponse:
    """Return the page that shows the OpenAPI document."""
    return _file("docs.html")


@api.get("/docs/docs.js", include_in_schema=False)
async def script() -> FileResponse:
    """Return the script of the page."""
    return _file("docs.js")


@api.get("/docs/docs.css", include_in_schema=False)
async def style() -> FileResponse:
    """Return the stylesheet of the page."""
    return _file("docs.css")


@api.get("/sources.css", include_in_schema=False)
async def sources_style() -> FileResponse:
    """Return the stylesheet of the pages that citations lead to."""
    return _file("sources.css")


def _file(name: str) -> FileResponse:
    headers = {
        "content-security-policy": POLICY,
        "x-content-type-options": "nosniff",
        "cache-control": "no-cache",
    }
    return FileResponse(PAGES / name, headers=headers)
