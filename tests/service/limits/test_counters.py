"""Limits are counted for each key and tenant, and refuse what is over them."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.limits import counters
from service.limits.counters import Allowed, Limits, User, duration
from service.limits.settings import Allowance, LimitSettings
from service.repeat_errors import LimitReached
from tests.fakes.ports import free_port

pytestmark = pytest.mark.anyio
ANN = User("acme", "key_ann")
BOB = User("acme", "key_bob")
EVE = User("bolt", "key_eve")
REQUESTS = "requests_per_minute"
SERVER = shutil.which("valkey-server") or shutil.which("redis-server")


def limits_of(
    key: Allowance | None = None, tenant: Allowance | None = None, url: str | None = None
) -> Limits:
    fields = {"key": key or Allowance(), "tenant": tenant or Allowance(), "url": url}
    return Limits(LimitSettings.model_validate(fields))


async def refused(limits: Limits, user: User, name: str = REQUESTS, cost: int = 1) -> LimitReached:
    with pytest.raises(LimitReached) as told:
        await limits.take(name, user, cost=cost)
    return told.value


async def test_without_a_limit_nothing_is_counted_or_refused() -> None:
    limits = limits_of()
    for _ in range(50):
        assert await limits.take(REQUESTS, ANN) is None


async def test_a_key_is_refused_once_its_limit_is_used_up_and_others_are_not() -> None:
    limits = limits_of(Allowance(requests_per_minute=2))
    left = [await limits.take(REQUESTS, ANN) for _ in range(2)]
    assert [one.remaining for one in left if one] == [1, 0]
    told = await refused(limits, ANN)
    assert told.details["limit"] == "key.requests_per_minute"
    assert 1 <= told.details["retry_after_s"] <= 60
    for other in (BOB, EVE, User("acme", None)):
        assert await limits.take(REQUESTS, other)


async def test_the_keys_of_a_tenant_share_its_limit() -> None:
    limits = limits_of(tenant=Allowance(requests_per_minute=2))
    await limits.take(REQUESTS, ANN)
    await limits.take(REQUESTS, BOB)
    assert (await refused(limits, ANN)).details["limit"] == "tenant.requests_per_minute"
    assert await limits.take(REQUESTS, EVE)


async def test_the_narrower_limit_is_told() -> None:
    limits = limits_of(Allowance(requests_per_minute=10), Allowance(requests_per_minute=3))
    left = await limits.take(REQUESTS, ANN)
    assert left is not None
    assert (left.limit, left.remaining) == (3, 2)


async def test_ids_with_slashes_are_not_taken_for_others() -> None:
    limits = limits_of(Allowance(requests_per_minute=1))
    await limits.take(REQUESTS, User("a/b", "c"))
    assert await limits.take(REQUESTS, User("a", "b/c"))


async def test_the_limit_begins_anew_after_its_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = limits_of(Allowance(requests_per_minute=1))
    await limits.take(REQUESTS, ANN)
    await refused(limits, ANN)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 61)
    assert await limits.take(REQUESTS, ANN)


async def test_a_clock_that_is_set_back_locks_nobody_out(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = limits_of(Allowance(requests_per_minute=1))
    await limits.take(REQUESTS, ANN)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now - 7200)
    assert await limits.take(REQUESTS, ANN)
    told = await refused(limits, ANN)
    assert told.details["retry_after_s"] <= 60


async def test_tokens_are_counted_after_the_answer_and_stop_the_next_question() -> None:
    limits = limits_of(Allowance(prompt_tokens_per_minute=100, completion_tokens_per_minute=10))
    assert limits.counts_tokens
    await limits.require_tokens(ANN)
    await limits.add_tokens(ANN, prompt=30, completion=25)
    with pytest.raises(LimitReached, match="completion_tokens_per_minute"):
        await limits.require_tokens(ANN)
    await limits.require_tokens(BOB)
    left = await limits.tokens_left(ANN)
    assert left is not None
    assert (left.limit, left.remaining) == (10, 0)


async def test_an_upload_costs_its_bytes() -> None:
    limits = limits_of(Allowance(upload_bytes_per_hour=1000))
    name = "upload_bytes_per_hour"
    await limits.take(name, ANN, cost=900)
    told = await refused(limits, ANN, name, cost=200)
    assert 60 < told.details["retry_after_s"] <= 3600
    with pytest.raises(LimitReached):
        await limits.require(name, BOB, cost=1001)
    await limits.require(name, BOB, cost=1000)


async def test_streams_are_counted_while_they_run() -> None:
    limits = limits_of(Allowance(concurrent_streams=1), Allowance(concurrent_streams=2))
    with limits.stream(ANN), limits.stream(BOB):
        for user in (ANN, User("acme", "key_cem")):
            with pytest.raises(LimitReached, match="concurrent_streams"), limits.stream(user):
                pass
        with limits.stream(EVE):
            pass
    with limits.stream(ANN), pytest.raises(LimitReached), limits.stream(ANN):
        pass
    with limits.stream(ANN):
        pass


def test_a_limit_is_told_as_openai_tells_it() -> None:
    assert Allowed(60, 59, 0.4).headers("requests") == (
        ("x-ratelimit-limit-requests", "60"),
        ("x-ratelimit-remaining-requests", "59"),
        ("x-ratelimit-reset-requests", "1s"),
    )


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0s"), (-3, "0s"), (11.2, "12s"), (360, "6m0s"), (3599.5, "60m0s")]
)
def test_a_time_is_written_as_openai_writes_it(seconds: float, text: str) -> None:
    assert duration(seconds) == text


async def test_while_the_shared_server_is_away_the_gateway_counts_for_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    limits = limits_of(Allowance(requests_per_minute=2), url=f"redis://127.0.0.1:{free_port()}")
    assert await limits.take(REQUESTS, ANN)
    monkeypatch.setattr(counters, "SHARED_PAUSE_S", 0.0)
    assert await limits.take(REQUESTS, ANN)
    await refused(limits, ANN)
    await limits.aclose()


@pytest.fixture
def shared_url(tmp_path: Path) -> Iterator[str]:
    port = free_port()
    assert SERVER is not None
    words = [SERVER, "--port", str(port), "--dir", str(tmp_path), "--save", ""]
    server = subprocess.Popen(words, stdout=subprocess.DEVNULL)
    time.sleep(0.5)
    yield f"valkey://127.0.0.1:{port}"
    server.terminate()
    server.wait()


@pytest.mark.skipif(SERVER is None, reason="neither valkey-server nor redis-server is installed")
async def test_gateways_share_their_counts(shared_url: str) -> None:
    allowance = Allowance(requests_per_minute=2)
    one, other = (limits_of(allowance, url=shared_url) for _ in range(2))
    assert await one.take(REQUESTS, ANN)
    assert await other.take(REQUESTS, ANN)
    await refused(one, ANN)
    await refused(other, ANN)
    for limits in (one, other):  # what stays open is told as a warning, and fails a later test
        await limits.aclose()
