"""Which adapters exist, and which of them is live for each task."""

from adapters.registry.records import Adapter, AdapterState, Alias, StateChange, metadata
from adapters.registry.registry import AdapterRegistry, check_gate

__all__ = [
    "Adapter",
    "AdapterRegistry",
    "AdapterState",
    "Alias",
    "StateChange",
    "check_gate",
    "metadata",
]
