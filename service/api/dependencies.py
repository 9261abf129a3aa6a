"""What the endpoints find in the running app."""

from dataclasses import dataclass, field

from anyio import CapacityLimiter
from fastapi import Request

from service.context import House
from service.engine.publisher import Publisher
from service.stores.comparisons import Comparisons
from service.stores.data_checks import DataChecks
from service.stores.files import Files
from service.stores.jobs import Jobs


@dataclass(frozen=True, slots=True)
class AppState:
    """Everything the endpoints use, built once in the app's lifespan."""

    house: House
    jobs: Jobs
    files: Files
    comparisons: Comparisons
    data_checks: DataChecks
    publisher: Publisher
    reading: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(1))
    """Files with a password, read one at a time: each may take `knowledge.parse_memory_mb`."""


def state_of(request: Request) -> AppState:
    """Return the running app's state."""
    state: AppState = request.app.state.fingerpost
    return state


def house_of(request: Request) -> House:
    """Return what the answer's line needs."""
    return state_of(request).house
