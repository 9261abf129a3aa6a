"""What there is under `/v1/`, for a client that asks for something else of OpenAI's.

It knows the paths of the endpoints; it does not know what they do.
"""

from fastapi import FastAPI
from fastapi.routing import APIRoute

PREFIX = "/v1/"


def offered_endpoints(app: FastAPI) -> list[str]:
    """Return every endpoint under `/v1/` as `METHOD path`, by path."""
    found = {
        (route.path_format, method)
        for route in app.routes
        if isinstance(route, APIRoute) and route.path.startswith(PREFIX)
        for method in route.methods
    }
    return [f"{method} {path}" for path, method in sorted(found)]


def not_offered(method: str, endpoints: list[str]) -> str:
    """Return the message for a path or a method that is not there: what is, in short."""
    nouns = {endpoint.partition(" ")[2].partition("/{")[0] for endpoint in endpoints}
    return f"{method} is not offered at this path. Under {PREFIX} there are {_listed(nouns)}."


def _listed(paths: set[str]) -> str:
    short = [path for path in sorted(paths) if not any(path.startswith(f"{one}/") for one in paths)]
    return ", ".join(short)
