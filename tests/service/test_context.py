"""What a gateway remembers for a moment, and what it forgets at once."""

import threading

import anyio
import pytest

from service import context as house
from service.context import Memory

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
    memory, source = Memory(), Source()
    assert [await memory.get("key", source.read) for _ in range(3)] == ["old"] * 3
    assert source.reads == 1


async def test_an_old_value_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(house, "FRESH_S", 0.0)
    monkeypatch.setattr(house, "STALE_S", 0.0)
    memory, source = Memory(), Source()
    await memory.get("key", source.read)
    source.value = "new"
    assert await memory.get("key", source.read) == "new"


async def test_each_key_has_its_own_value() -> None:
    memory = Memory()
    assert await memory.get(("use_case", "a"), lambda: 1) == 1
    assert await memory.get(("use_case", "b"), lambda: 2) == 2


async def test_what_is_nothing_is_remembered_too() -> None:
    memory, reads = Memory(), []
    for _ in range(2):
        assert await memory.get("key", lambda: reads.append(1)) is None
    assert len(reads) == 1


async def test_what_this_process_changed_is_seen_at_once() -> None:
    memory, source = Memory(), Source()
    await memory.get("key", source.read)
    source.value = "new"
    memory.forget()
    assert await memory.get("key", source.read) == "new"


async def test_a_value_read_before_a_change_is_not_remembered_after_it() -> None:
    memory, source = Memory(), Source()
    has_read, go_on = threading.Event(), threading.Event()

    def slow() -> str:
        value = source.read()
        has_read.set()
        go_on.wait(5)
        return value

    async with anyio.create_task_group() as group:
        group.start_soon(memory.get, "key", slow)
        await anyio.to_thread.run_sync(has_read.wait)
        source.value = "new"
        memory.forget()
        go_on.set()
    assert await memory.get("key", source.read) == "new"


async def test_the_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(house, "MAX_REMEMBERED", 3)
    memory = Memory()
    for key in range(10):
        await memory.get(key, lambda: 0)
    assert len(memory._values) <= 3


async def test_a_value_no_longer_fresh_is_used_while_it_is_read_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(house, "FRESH_S", 0.0)
    monkeypatch.setattr(house, "STALE_S", 10.0)
    memory, source = Memory(), Source()
    await memory.get("key", source.read)
    source.value = "new"
    assert await memory.get("key", source.read) == "old"  # no request waits
    await anyio.sleep(0.5)
    assert await memory.get("key", source.read) == "new"
