"""Prompts that the model server has cached are kept apart by tenant."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from service.engine.cache_salt import cache_salts
from service.engine.client import EngineClient, GenerationRequest, Message
from service.home import Home
from service.settings import EngineSettings
from tests.fakes.engine import BASE, FakeEngine, Served
from tests.service.conftest import Running

Salts = Callable[[str], str]


@asynccontextmanager
async def connected(url: str, salt_of: Salts | None) -> AsyncIterator[EngineClient]:
    made = EngineClient(EngineSettings(), url, str, salt_of=salt_of)
    try:
        yield made
    finally:
        await made.aclose()


async def ask(client: EngineClient, tenant: str) -> None:
    question = GenerationRequest(BASE, (Message("user", "When?"),), {}, tenant)
    async with client.generate(question) as generation:
        async for _ in generation.chunks:
            pass


@pytest.mark.anyio
async def test_each_tenant_sends_a_salt_of_its_own_and_always_the_same(tmp_path: Path) -> None:
    fake = FakeEngine()
    with Served(fake.app()) as served:
        async with connected(served.url, cache_salts(Home(tmp_path))) as client:
            for tenant in ("acme", "bolt", "acme"):
                await ask(client, tenant)
    first, other, again = [request["cache_salt"] for request in fake.requests]
    assert first == again != other
    assert first == cache_salts(Home(tmp_path))("acme")
    assert len(first) == 64
    assert "acme" not in first


@pytest.mark.anyio
async def test_a_server_that_takes_no_salt_is_sent_none() -> None:
    fake = FakeEngine()
    with Served(fake.app()) as served:
        async with connected(served.url, None) as client:
            await ask(client, "acme")
    assert "cache_salt" not in fake.requests[0]


def test_only_our_own_model_server_is_sent_a_salt_unless_it_is_configured() -> None:
    assert EngineSettings().takes_cache_salt
    assert not EngineSettings(url="http://x").takes_cache_salt
    assert EngineSettings(url="http://x", send_cache_salt=True).takes_cache_salt
    assert not EngineSettings(send_cache_salt=False).takes_cache_salt


def test_the_gateway_sends_the_salt_of_the_caller(running: Running) -> None:
    running.ask("Good morning!")
    salt = cache_salts(running.settings.paths)("default")
    assert [request["cache_salt"] for request in running.engine.requests] == [salt]
