"""What the endpoints are given: the running app's context, and who calls."""

from typing import Annotated

from fastapi import Depends, Request

from service import access, internal_caller
from service.context import AppContext
from service.errors import HostForbidden


async def get_context(request: Request) -> AppContext:
    """Return what the app opened when it started."""
    context: AppContext = request.app.state.context
    return context


async def get_caller(request: Request) -> access.Caller:
    """Return who makes this request: our own worker for a tenant, else the loopback caller."""
    if (signed := request.headers.get(internal_caller.HEADER)) is not None:
        home = request.app.state.context.settings.paths
        if (caller := internal_caller.read_signed(home, signed)) is not None:
            return caller
        raise HostForbidden(f"The header {internal_caller.HEADER} is not signed by this home.")
    return access.LOOPBACK_CALLER


Context = Annotated[AppContext, Depends(get_context)]
Caller = Annotated[access.Caller, Depends(get_caller)]
