"""What a gateway remembers for a moment, and what it forgets at once."""

import threading

import anyio
import pytest

from service import cache as module
from service.cache import Cache

pytestmark = pytest.mark.anyio


class Source:
    """A value that changes, and how often it was read."""

    def __init__(self) -> None:
        self.value = "old"
        self.reads = 0

    def read(self) -> str:
        self.reads += 1
        return self.value


async def test_a_fresh_value_is_not_read_again() -> None:
    cache, source = Cache(), Source()
    assert [await cache.get("key", source.read) for _ in range(3)] == ["old"] * 3
    assert source.reads == 1


async def test_an_old_value_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FRESH_S", 0.0)
    monkeypatch.setattr(module, "STALE_S", 0.0)
    cache, source = Cache(), Source()
    await cache.get("key", source.read)
    source.value = "new"
    assert await cache.get("key", source.read) == "new"


async def test_each_key_has_its_own_value() -> None:
    cache = Cache()
    assert await cache.get(("use_case", "a"), lambda: 1) == 1
    assert await cache.get(("use_case", "b"), lambda: 2) == 2


async def test_what_is_nothing_is_kept_too() -> None:
    cache, reads = Cache(), []
    for _ in range(2):
        assert await cache.get("key", lambda: reads.append(1)) is None
    assert len(reads) == 1


async def test_what_this_process_changed_is_seen_at_once() -> None:
    cache, source = Cache(), Source()
    await cache.get("key", source.read)
    source.value = "new"
    cache.invalidate()
    assert await cache.get("key", source.read) == "new"


async def test_a_value_read_before_a_change_is_not_kept_after_it() -> None:
    cache, source = Cache(), Source()
    has_read, go_on = threading.Event(), threading.Event()

    def slow() -> str:
        value = source.read()
        has_read.set()
        go_on.wait(5)
        return value

    async with anyio.create_task_group() as group:
        group.start_soon(cache.get, "key", slow)
        await anyio.to_thread.run_sync(has_read.wait)
        source.value = "new"
        cache.invalidate()
        go_on.set()
    assert await cache.get("key", source.read) == "new"


async def test_the_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_ENTRIES", 3)
    cache = Cache()
    for key in range(10):
        await cache.get(key, lambda: 0)
    assert len(cache._values) <= 3


async def test_a_value_no_longer_fresh_is_used_while_it_is_read_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "FRESH_S", 0.0)
    monkeypatch.setattr(module, "STALE_S", 10.0)
    cache, source = Cache(), Source()
    await cache.get("key", source.read)
    source.value = "new"
    assert await cache.get("key", source.read) == "old"  # no request waits
    await anyio.sleep(0.5)
    assert await cache.get("key", source.read) == "new"
