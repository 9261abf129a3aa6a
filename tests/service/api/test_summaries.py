"""What OpenAPI says of the endpoints."""

from fastapi import APIRouter, FastAPI

from service.api import summaries

api = APIRouter()


@api.get("/lamps")
def list_lamps() -> list[str]:
    """List the lamps, newest first.

    Those that are broken are left out.
    """
    return []


@api.get("/lamp", summary="One lamp")
def get_lamp() -> str:
    """Return a lamp."""
    return "lamp"


def test_an_endpoint_is_summed_up_by_the_first_sentence_of_its_docstring() -> None:
    app = FastAPI()
    app.include_router(api)
    summaries.install(app)
    told = {path: ops["get"] for path, ops in app.openapi()["paths"].items()}
    assert told["/lamps"]["summary"] == "List the lamps, newest first"
    assert told["/lamps"]["description"] == "Those that are broken are left out."
    assert told["/lamp"]["summary"] == "One lamp"
    assert "description" not in told["/lamp"]
