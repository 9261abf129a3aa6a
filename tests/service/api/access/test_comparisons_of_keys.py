"""A comparison asks by the limits of the API key that started it, and waits for them."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import httpx
import pytest

from service.limits import counters
from service.limits.counters import User
from service.limits.settings import Allowance, LimitSettings
from service.settings import Settings
from service.stores.access.api_keys import ApiKeys, NewKey
from service.stores.job_kinds import CompareResult
from service.stores.jobs import Job, Status
from tests.service.api.access.conftest import bearer
from tests.service.conftest import Running
from tests.service.waiting import eventually

WIDE = 1000
NARROW, WINDOW_S = 4, 2


@pytest.fixture
def settings(settings: Settings) -> Settings:
    limits = LimitSettings(key=Allowance(requests_per_minute=WIDE))
    jobs = settings.jobs.model_copy(update={"lease_s": 6.0})  # cancelled within a third of it
    return settings.model_copy(update={"limits": limits, "jobs": jobs})


def start(running: Running, key: str, questions: int) -> Callable[[], Job]:
    """Start a comparison, and return what reads its job, which counts for no key."""
    rows = [
        {"id": f"q{n}", "kind": "chitchat", "question": f"Hello {n}!"} for n in range(questions)
    ]
    body = {"use_case": "demo", "rows": rows, "strategies": ["prompt_only"]}
    with httpx.Client(base_url=running.client.base_url, headers=bearer(key)) as client:
        started = client.post("/compare", json=body)
    assert started.status_code == 202, started.text
    return partial(running.context.jobs.get, started.json()["id"], tenant="default")


def compare(running: Running, key: str, questions: int) -> Sequence[Mapping[str, Any]]:
    read = start(running, key, questions)
    eventually(lambda: read().has_ended)
    made = CompareResult.read(read().result or {}).comparison_id
    return running.context.comparisons.get(made, tenant="default").outcomes


@pytest.mark.anyio
async def test_what_a_job_asks_counts_for_the_key_that_started_it(
    keyed: Running, keys: ApiKeys
) -> None:
    made, key = keys.create(NewKey(name="n", scopes=("experiments",)))
    outcomes = compare(keyed, key, questions=5)
    assert [row.get("error") for row in outcomes] == [None] * 5
    limits = keyed.context.limits

    async def used(key_id: str | None) -> int:
        left = await limits.take("requests_per_minute", User("default", key_id), cost=0)
        assert left is not None
        return WIDE - left.remaining

    assert await used(made.key_id) == 1 + 5


def test_more_questions_than_a_limit_allows_are_all_answered(
    keyed: Running, keys: ApiKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, key = keys.create(NewKey(name="n", scopes=("experiments",)))
    refusals: list[str] = []
    reached = counters._reached

    def counted(*args: Any) -> Exception:
        refusals.append(args[1])
        return reached(*args)

    monkeypatch.setattr(counters, "_reached", counted)
    monkeypatch.setattr(counters, "MINUTE_S", WINDOW_S)
    monkeypatch.setitem(keyed.context.limits._of, "requests_per_minute", (("key", NARROW),))
    outcomes = compare(keyed, key, questions=2 * NARROW)
    assert [row.get("error") for row in outcomes] == [None] * (2 * NARROW)
    assert refusals


def test_a_comparison_that_waits_for_a_limit_can_be_cancelled(
    keyed: Running, keys: ApiKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, key = keys.create(NewKey(name="n", scopes=("experiments",)))
    monkeypatch.setitem(keyed.context.limits._of, "requests_per_minute", (("key", 1),))
    read = start(keyed, key, questions=1)
    eventually(lambda: read().status is Status.RUNNING)
    keyed.context.jobs.cancel(read().job_id, tenant="default")
    eventually(lambda: read().has_ended)
    assert read().status is Status.CANCELLED
    assert not keyed.engine.requests
