"""API keys as a gateway knows them: read again within 0.4 s, so that a revoked one ends soon.

It knows ages and keys; it does not know requests.
"""

from collections.abc import Sequence
from functools import partial

from sqlalchemy.exc import SQLAlchemyError

from service.cache import Cache
from service.stores.access.api_keys import ApiKey, ApiKeys
from service.stores.access.signing import Signer
from service.stores.database import Database

FRESH_S = 0.2
STALE_S = 0.4  # a revoked key is refused within half a second, the reading included


class KnownKeys:
    """The keys of one database, as they were 0.4 s ago at the earliest."""

    def __init__(self, database: Database, signers: Sequence[Signer] = ()) -> None:
        """Read keys of `database`; `signers` are made ready once there are keys."""
        self._keys = ApiKeys(database)
        self._signers = signers
        self._cache = Cache(fresh_s=FRESH_S, stale_s=STALE_S)
        self._exist_now: bool | None = None

    async def exist(self) -> bool:
        """Return whether a key was ever made; a gateway that has seen one never opens again.

        While the database is away, what was known last counts.
        """
        if not self._exist_now:
            try:
                self._exist_now = bool(await self._cache.get("exist", self._exist))
            except SQLAlchemyError:
                if self._exist_now is None:
                    raise
        return self._exist_now

    async def find(self, key_id: str) -> ApiKey | None:
        """Return a key by its id, None where there is none."""
        found: ApiKey | None = await self._cache.get(key_id, partial(self._keys.find, key_id))
        return found

    def _exist(self) -> bool:
        found = self._keys.exist()
        for signer in self._signers if found else ():
            signer.prepare()
        return found
