"""Counts what keys and tenants use, and refuses what is over their limits.

It knows numbers and whose they are; it does not know requests. Windows are fixed: a minute or an
hour from the first use on. Tokens are known only after an answer, so they are counted then, and
the next question is refused. Counts are kept in this process, or in Redis or Valkey where several
gateways share them; while that server is away each gateway counts for itself.
"""

import logging
import math
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple
from urllib.parse import quote

from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.aio.storage import RedisStorage, Storage
from limits.aio.strategies import FixedWindowRateLimiter
from limits.errors import StorageError

from service.limits.settings import Allowance, LimitSettings
from service.limits.windows import Windows
from service.repeat_errors import LimitReached

log = logging.getLogger(__name__)

NAMESPACE = "fingerpost"
SHARED_TIMEOUT_S = 0.5  # a server of the same network answers in 1 ms
SHARED_PAUSE_S = 5.0  # not asked again for so long once it has failed
STREAM_RETRY_S = 2
MINUTE_S, HOUR_S = 60, 3_600
PROMPT_TOKENS = "prompt_tokens_per_minute"
TOKEN_LIMITS = (PROMPT_TOKENS, "completion_tokens_per_minute")

Resource = Literal["requests", "tokens"]


class User(NamedTuple):
    """Who uses something: a tenant, by one of its keys or without one."""

    tenant: str
    key_id: str | None

    def counter(self, whose: str, name: str) -> tuple[str, ...]:
        """Return what counts `name` for the tenant, or for its key."""
        ids = (self.tenant,) if whose == "tenant" else (self.tenant, self.key_id or "")
        return (name, whose, *ids)


@dataclass(frozen=True, slots=True)
class Allowed:
    """How much of a limit is left: `reset_s` seconds until all of it is."""

    limit: int
    remaining: int
    reset_s: float

    def headers(self, resource: Resource) -> tuple[tuple[str, str], ...]:
        """Return the headers that tell it, under OpenAI's names."""
        return (
            (f"x-ratelimit-limit-{resource}", str(self.limit)),
            (f"x-ratelimit-remaining-{resource}", str(self.remaining)),
            (f"x-ratelimit-reset-{resource}", duration(self.reset_s)),
        )


class Limits:
    """The limits in force, and what is used of them."""

    def __init__(self, settings: LimitSettings) -> None:
        self._of = {name: tuple(settings.of(name)) for name in Allowance.model_fields}
        self._own = Windows()
        self._shared = _shared(settings)
        self._shared_from = 0.0
        self._streams: Counter[tuple[str, ...]] = Counter()
        self.is_on = any(self._of.values())
        self.counts_tokens = any(self._of[name] for name in TOKEN_LIMITS)

    async def take(self, name: str, user: User, *, cost: int = 1) -> Allowed | None:
        """Use something, and return what is left of the narrower limit; None: it has no limit.

        Args:
            name: `requests_per_minute` or `upload_bytes_per_hour`.
            user: Who.
            cost: How much.

        Raises:
            LimitReached: No more is left; retry after `retry_after_s`.
        """
        found = []
        for whose, most in self._of[name]:
            counter = user.counter(whose, name)
            used_up = not await self._hit(counter, most, cost)
            allowed = await self._allowed(counter, most)
            if used_up:
                raise _reached(name, whose, most, allowed.reset_s)
            found.append(allowed)
        return min(found, key=_narrowness, default=None)

    async def add(self, name: str, user: User, *, cost: int) -> None:
        """Count what was used already; it is never refused."""
        for whose, most in self._of[name]:
            if cost > 0:
                await self._hit(user.counter(whose, name), most, cost)

    async def add_tokens(self, user: User, *, prompt: int, completion: int) -> None:
        """Count the tokens of an answer."""
        for name, cost in zip(TOKEN_LIMITS, (prompt, completion), strict=True):
            await self.add(name, user, cost=cost)

    async def require(self, name: str, user: User, *, cost: int = 1) -> None:
        """Refuse where less than `cost` is left; nothing is counted.

        Raises:
            LimitReached: Retry after `retry_after_s`.
        """
        for whose, most in self._of[name]:
            allowed = await self._allowed(user.counter(whose, name), most)
            if allowed.remaining < cost:
                raise _reached(name, whose, most, allowed.reset_s)

    async def require_tokens(self, user: User) -> None:
        """Refuse a question where no tokens are left.

        Raises:
            LimitReached: Retry after `retry_after_s`.
        """
        for name in TOKEN_LIMITS:
            await self.require(name, user)

    async def tokens_left(self, user: User) -> Allowed | None:
        """Return what is left of the narrowest limit of tokens; None: there is none."""
        found = [
            await self._allowed(user.counter(whose, name), most)
            for name in TOKEN_LIMITS
            for whose, most in self._of[name]
        ]
        return min(found, key=_narrowness, default=None)

    @contextmanager
    def stream(self, user: User) -> Iterator[None]:
        """Hold one of the streams that may run at the same time in this gateway.

        Raises:
            LimitReached: All of them run.
        """
        name = "concurrent_streams"
        taken = [(user.counter(whose, name), whose, most) for whose, most in self._of[name]]
        for ids, whose, most in taken:
            if self._streams[ids] >= most:
                raise _reached(name, whose, most, STREAM_RETRY_S)
        for ids, _, _ in taken:
            self._streams[ids] += 1
        try:
            yield
        finally:
            for ids, _, _ in taken:
                self._streams[ids] -= 1
                if not self._streams[ids]:
                    del self._streams[ids]

    async def aclose(self) -> None:
        """Close the connections to the shared server, if there is one."""
        if self._shared is not None and isinstance(self._shared.storage, RedisStorage):
            bridge: Any = self._shared.storage.bridge  # of redis-py; its base knows no connection
            await bridge.get_connection().aclose(close_connection_pool=True)

    async def _hit(self, counter: tuple[str, ...], most: int, cost: int) -> bool:
        """Count, and return whether that was allowed."""
        if (shared := self._shared_now()) is not None:
            try:
                return await shared.hit(_item(counter, most), *_ids(counter), cost=cost)
            except StorageError as exc:
                self._leave_shared(exc)
        self._own.add(counter, cost, length_s=_length_s(counter))
        return self._own.read(counter)[0] <= most

    async def _allowed(self, counter: tuple[str, ...], most: int) -> Allowed:
        if (shared := self._shared_now()) is not None:
            item = _item(counter, most)
            try:
                reset_at, remaining = await shared.get_window_stats(item, *_ids(counter))
                return _left(item, reset_at, remaining)
            except StorageError as exc:
                self._leave_shared(exc)
        used, reset_s = self._own.read(counter)
        return Allowed(most, max(0, most - used), reset_s)

    def _shared_now(self) -> FixedWindowRateLimiter | None:
        return self._shared if time.monotonic() >= self._shared_from else None

    def _leave_shared(self, exc: StorageError) -> None:
        self._shared_from = time.monotonic() + SHARED_PAUSE_S
        log.warning("limits.url does not answer (%s); this gateway counts for itself", exc)


def duration(seconds: float) -> str:
    """Return a time as OpenAI writes it: `12s`, `6m0s`."""
    minutes, rest = divmod(max(0, math.ceil(seconds)), 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"


def _shared(settings: LimitSettings) -> FixedWindowRateLimiter | None:
    if settings.url is None:
        return None
    scheme, _, rest = settings.url.get_secret_value().partition("://")
    redis = {"valkey": "redis", "valkeys": "rediss"}.get(scheme.lower(), scheme.lower())
    storage: Storage = RedisStorage(
        f"async+{redis}://{rest}",  # both servers speak the same protocol
        wrap_exceptions=True,
        implementation="redispy",
        key_prefix=NAMESPACE,
        socket_timeout=SHARED_TIMEOUT_S,
        socket_connect_timeout=SHARED_TIMEOUT_S,
    )
    return FixedWindowRateLimiter(storage)


def _item(counter: tuple[str, ...], most: int) -> RateLimitItem:
    """Return the limit as the library of the shared server knows it."""
    kind = RateLimitItemPerHour if _length_s(counter) == HOUR_S else RateLimitItemPerMinute
    return kind(most, namespace=NAMESPACE)


def _ids(counter: tuple[str, ...]) -> tuple[str, ...]:
    """Return a counter's name on the shared server; a slash does not make it another's."""
    return tuple(quote(one, safe="") for one in counter)


def _length_s(counter: tuple[str, ...]) -> int:
    return HOUR_S if counter[0].endswith("_per_hour") else MINUTE_S


def _left(item: RateLimitItem, reset_at: float, remaining: int) -> Allowed:
    """Return what is left; a window in which nothing was used has no end yet."""
    is_unused = remaining >= item.amount
    reset_s = 0.0 if is_unused else min(max(0.0, reset_at - time.time()), item.get_expiry())
    return Allowed(item.amount, remaining, reset_s)


def _narrowness(allowed: Allowed) -> float:
    return allowed.remaining / allowed.limit


def _reached(name: str, whose: str, most: int, retry_after_s: float) -> LimitReached:
    again_s = max(1, math.ceil(retry_after_s))
    return LimitReached(
        f"{name} is {most:,} for this {whose}, and that is used up or would be exceeded; "
        f"retry in {again_s} s.",
        limit=f"{whose}.{name}",
        retry_after_s=again_s,
    )
