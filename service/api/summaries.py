"""What OpenAPI says of each endpoint: the first sentence of its docstring, and the rest."""

from fastapi import FastAPI
from fastapi.routing import APIRoute


def install(app: FastAPI) -> None:
    """Take the summary and the description of every endpoint of `app` from its docstring."""
    for route in app.routes:
        if isinstance(route, APIRoute):
            first, _, rest = route.description.partition("\n")
            route.summary = route.summary or first.removesuffix(".")
            route.description = rest.strip()
