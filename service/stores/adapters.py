"""The registry of a home's adapters, on the home's database.

It joins settings and the registry of `adapters`; it does not know what is done with adapters.
"""

from sqlalchemy import Engine as Database

from adapters import AdapterRegistry
from service.settings import Settings


def adapter_registry(settings: Settings, database: Database) -> AdapterRegistry:
    """Return the registry of this home's adapters."""
    rank = settings.adapters.max_lora_rank
    return AdapterRegistry(database, settings.paths.adapters, max_lora_rank=rank)
