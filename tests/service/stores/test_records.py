"""Records are written behind, hold text only where they may, and are forgotten in time."""

import hashlib
import json
import time
import zlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.exc import OperationalError

from service.settings import RecordSettings
from service.stores import records as module
from service.stores.database import create_tables, open_database
from service.stores.records import DAY_S, TRACE_DICTIONARY, Record, Records, Trace, records
from service.stores.tables import metadata
from tests.service.conftest import Running
from tests.service.waiting import eventually

pytestmark = pytest.mark.anyio
TENANT = "default"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Engine]:
    opened = open_database(f"sqlite:///{tmp_path}/state.db")
    create_tables(opened, metadata)
    yield opened
    opened.dispose()


def record(request_id: str, **fields: Any) -> Record:
    values: dict[str, Any] = {
        "request_id": request_id,
        "tenant": TENANT,
        "use_case": "demo",
        "created_at": time.time(),
        "strategy": "rag",
        "model": "base",
        "outcome": "answered",
        "decision": {"rule": "fallback"},
        "usage": {"prompt_tokens": 3},
        "timings_ms": {"total": 1.5},
        "question": None,
        "answer": None,
    }
    return Record(**{**values, **fields})


def count(database: Engine) -> int:
    with database.connect() as connection:
        return int(connection.execute(select(func.count()).select_from(records)).scalar_one())


async def test_a_record_is_written_later_and_read_back_whole(database: Engine) -> None:
    kept = Records(database, RecordSettings())
    kept.save(record("r1"))
    assert kept.get("r1", tenant=TENANT) is None
    await kept.flush()
    found = kept.get("r1", tenant=TENANT)
    assert found is not None
    assert (found.decision, found.usage) == ({"rule": "fallback"}, {"prompt_tokens": 3})
    assert kept.get("r1", tenant="other") is None


async def test_what_waits_is_written_while_the_service_runs_and_at_its_end(
    database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BATCH_S", 0.02)
    kept = Records(database, RecordSettings())
    async with anyio.create_task_group() as group:
        group.start_soon(kept.write_behind)
        kept.save(record("r1"))
        with anyio.fail_after(5):
            while count(database) == 0:  # noqa: ASYNC110  # a row has no event
                await anyio.sleep(0.01)
        monkeypatch.setattr(module, "BATCH_S", 60.0)
        await anyio.sleep(0.1)
        kept.save(record("r2"))
        group.cancel_scope.cancel()
    assert count(database) == 2


async def test_a_request_id_sent_twice_loses_no_other_record(database: Engine) -> None:
    kept = Records(database, RecordSettings())
    kept.save(record("same", strategy="rag"))
    await kept.flush()
    for strategy in ("hybrid", "fine_tuned"):
        kept.save(record("same", strategy=strategy))
    kept.save(record("other"))
    await kept.flush()
    first = kept.get("same", tenant=TENANT)
    assert first is not None
    assert first.strategy == "rag"
    assert kept.get("other", tenant=TENANT) is not None
    for strategy in ("hybrid", "rag"):
        kept.save(record("twin", strategy=strategy))
    await kept.flush()
    twin = kept.get("twin", tenant=TENANT)
    assert twin is not None
    assert twin.strategy == "hybrid"


async def test_the_trace_is_packed_when_it_is_written_and_read_back_whole(
    database: Engine,
) -> None:
    kept = Records(database, RecordSettings())
    trace: dict[str, Any] = {
        "rule": "r",
        "because": {"zh": "因"},
        "findings": [{"verdict": "unknown"}] * 40,
    }
    trace["facts"] = {"labelled_examples": {"value": 10**30}}
    thoughts: list[Trace] = []
    kept.save(record("r1"), lambda: thoughts[0])
    thoughts.append(Trace(trace, None))  # thought of when it is written, not before
    await kept.flush()
    found = kept.get("r1", tenant=TENANT)
    assert found is not None
    assert found.full_decision() == trace
    kept.save(record("r2"))
    await kept.flush()
    without = kept.get("r2", tenant=TENANT)
    assert without is not None
    assert without.full_decision() == {"rule": "fallback"}


def observation(strategy: str, policy: str, *, differs: bool) -> Trace:
    def choice(version: str, strategy: str) -> dict[str, str]:
        names = {"policy_version": version, "strategy": strategy}
        return {**names, "rule": f"{strategy}_rule", "course": "answer"}

    now, then = choice("now@1", "rag"), choice(policy, strategy)
    return Trace({}, {"differs": differs, "now": now, "then": then})


async def test_observations_are_counted_by_pair_and_policy(database: Engine) -> None:
    kept = Records(database, RecordSettings())
    seen = [("hybrid", "a@1"), ("hybrid", "a@1"), ("rag", "a@1"), ("hybrid", "b@1")]
    for number, (strategy, policy) in enumerate(seen):
        thought = observation(strategy, policy, differs=strategy != "rag")
        kept.save(record(f"r{number}", created_at=float(number)), partial(lambda t: t, thought))
    kept.save(record("plain"))
    kept.save(record("other", tenant="other"), lambda: observation("rag", "a@1", differs=False))
    await kept.flush()
    pairs = kept.shadow_counts(tenant=TENANT)
    told = [(p.then["policy_version"], p.then["strategy"], p.differs, p.n) for p in pairs]
    assert told == [
        ("b@1", "hybrid", True, 1),
        ("a@1", "rag", False, 1),
        ("a@1", "hybrid", True, 2),
    ]
    assert (pairs[2].since, pairs[2].until) == (0.0, 1.0)
    assert pairs[2].now == {
        "policy_version": "now@1",
        "strategy": "rag",
        "rule": "rag_rule",
        "course": "answer",
    }


async def test_records_wait_while_the_database_is_away(
    database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = Records(database, RecordSettings())

    def away(*_: object) -> None:
        raise OperationalError("INSERT", {}, Exception("database is locked"))

    with monkeypatch.context() as patch:
        patch.setattr(Records, "_insert", away)
        kept.save(record("r1"))
        await kept.flush()
        kept.save(record("r2"))
        await kept.flush()
    assert count(database) == 0
    await kept.flush()
    assert count(database) == 2


async def test_a_record_that_cannot_be_written_does_not_block_those_after_it(
    database: Engine,
) -> None:
    kept = Records(database, RecordSettings())
    kept.save(record("bad", decision={"not json": object()}))
    await kept.flush()
    kept.save(record("good"))
    await kept.flush()
    assert kept.get("good", tenant=TENANT) is not None


async def test_the_queue_is_bounded(database: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_QUEUED", 300)
    kept = Records(database, RecordSettings())
    for number in range(305):
        kept.save(record(f"r{number}"))
    await kept.flush()
    assert count(database) == 300


async def test_old_records_are_forgotten(database: Engine) -> None:
    kept = Records(database, RecordSettings(keep_days=30))
    kept.save(record("old", created_at=time.time() - 31 * DAY_S))
    kept.save(record("young", created_at=time.time() - 29 * DAY_S))
    await kept.flush()
    await kept.delete_old()
    assert kept.get("old", tenant=TENANT) is None
    assert kept.get("young", tenant=TENANT) is not None


async def test_old_records_are_forgotten_again_while_the_service_runs(
    database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BATCH_S", 0.01)
    monkeypatch.setattr(module, "CLEANUP_S", 0.05)
    kept = Records(database, RecordSettings(keep_days=1))
    async with anyio.create_task_group() as group:
        group.start_soon(kept.write_behind)
        await anyio.sleep(0.1)
        kept.save(record("old", created_at=1.0))
        await kept.flush()
        with anyio.fail_after(5):
            while count(database):  # noqa: ASYNC110  # a row has no event
                await anyio.sleep(0.01)
        group.cancel_scope.cancel()


async def test_forgetting_outlives_a_database_that_is_away(
    database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise OperationalError("DELETE", {}, Exception("database is locked"))

    monkeypatch.setattr(Records, "_delete_expired", away)
    kept = Records(database, RecordSettings())
    await kept.delete_old()
    kept.save(record("later", created_at=1.0))
    await kept.flush()
    assert count(database) == 1


@pytest.mark.parametrize("store_text", [True, False])
def test_text_is_kept_only_where_it_may_be(
    running: Running, monkeypatch: pytest.MonkeyPatch, store_text: bool
) -> None:
    configured = RecordSettings(store_text=store_text)
    monkeypatch.setattr(running.context.records, "_settings", configured)
    question = "How long may a secret lamp be returned?"
    reply = running.ask(question, strategy="prompt_only").json()
    kept = Records(running.context.database, RecordSettings())
    eventually(lambda: kept.get(reply["id"], tenant=TENANT) is not None)
    found = kept.get(reply["id"], tenant=TENANT)
    assert found is not None
    assert (found.question, found.answer) == (
        (question, reply["answer"]) if store_text else (None, None)
    )
    assert (found.strategy, found.outcome) == ("prompt_only", "answered")
    assert found.usage == reply["usage"]


async def test_a_trace_that_was_packed_before_there_was_a_dictionary_is_read(
    database: Engine,
) -> None:
    trace = {"rule": "r", "findings": [{"verdict": "true"}]}
    packed = zlib.compress(json.dumps(trace).encode(), 3)
    assert record("r1", trace=packed).full_decision() == trace


def test_the_dictionary_stays_as_it_is_since_kept_traces_are_read_with_it() -> None:
    assert hashlib.sha256(TRACE_DICTIONARY).hexdigest()[:16] == "14b6c33ecae1c962"
