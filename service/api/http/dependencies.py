"""What the endpoints are given: the running app's context, and who calls.

What runs before every endpoint, and what answers questions, asks the request itself: a dependency
costs 40 µs.
"""

from typing import Annotated

from fastapi import Depends, Request

from service import access
from service.context import AppContext


def context_of(request: Request) -> AppContext:
    """Return what the app opened when it started."""
    context: AppContext = request.app.state.context
    return context


def caller_of(request: Request) -> access.Caller:
    """Return who makes this request, as the gate before its route found out."""
    caller: access.Caller = request.scope["caller"]
    return caller


async def get_context(request: Request) -> AppContext:  # FastAPI runs a plain function in a thread
    """Return `context_of` the request, for endpoints."""
    return context_of(request)


async def get_caller(request: Request) -> access.Caller:
    """Return `caller_of` the request, for endpoints."""
    return caller_of(request)


Context = Annotated[AppContext, Depends(get_context)]
Caller = Annotated[access.Caller, Depends(get_caller)]
