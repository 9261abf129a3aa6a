"""What the endpoints are given: the running app's context, and who calls."""

from typing import Annotated

from fastapi import Depends, Request

from service import access
from service.context import AppContext


async def get_context(request: Request) -> AppContext:
    """Return what the app opened when it started."""
    context: AppContext = request.app.state.context
    return context


async def get_caller(request: Request) -> access.Caller:
    """Return who makes this request, as the gate before its route found out."""
    caller: access.Caller = request.scope["caller"]
    return caller


Context = Annotated[AppContext, Depends(get_context)]
Caller = Annotated[access.Caller, Depends(get_caller)]
