"""A deleted tenant leaves nothing in the home, and others lose nothing."""

import ctypes
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from typer.testing import CliRunner

from adapters import TrainingCancelled
from knowledge import VectorIndex
from service.access_errors import TenantBusy, TenantKept, TenantNotFound
from service.cli import app
from service.settings import Settings
from service.stores.database import Database, open_database
from service.stores.job_kinds import TRAIN, TrainArgs
from service.stores.jobs import Status, jobs
from service.stores.migrations import METADATAS
from service.stores.records import Record
from service.stores.tenancy.rows import count_rows, names_in_rows, owned_tables
from service.stores.tenancy.tenants import Tenants
from service.supervision.programs import OVERWRITES_FREED
from service.tenants.deletion import delete_whole_tenant
from tests.fakes.context import FakeAdapters
from tests.fakes.two_tenants import ACME, BOLT, WORDS, TwoTenants, files_with, fill, two_tenants
from tests.service.waiting import eventually

OTHERS = tuple(word.replace("quixl", "vombat") for word in WORDS)
OF_DELETED_DOCUMENT = 9  # of `fill`: its text is erased with the document already
OWNED = owned_tables(METADATAS)


def write_beside_rows(running: TwoTenants, tenant: str, words: tuple[str, ...]) -> str:
    """Write what a training leaves beside the rows: a folder, scratch rows, log lines."""
    home, context = running.settings.paths, running.context
    file = context.files.save(f"{words[0]}.txt", words[1].encode(), purpose="batch", tenant=tenant)
    args = TrainArgs(file_id=file.file_id, config={"output_name": words[0]})
    job = context.jobs.enqueue(TRAIN, args, tenant=tenant)
    context.jobs.cancel(job.job_id, tenant=tenant)
    for folder in (home.trainings / job.job_id, home.run / "train-x" / file.file_id):
        folder.mkdir(parents=True)
        (folder / "rows.jsonl").write_text(words[1])
    failed = (
        f"2026-11-30 10:00:00,000 ERROR service.worker.lanes job {job.job_id} (train) failed\n"
        f"Traceback (most recent call last):\nValueError: {words[2]}\n"
    )
    asked = f'INFO:     127.0.0.1:1 - "GET /v1/vector_stores?of={tenant} HTTP/1.1" 200 OK\n'
    with (home.logs / "worker.log").open("a") as log:
        log.write(failed + asked + "2026-11-30 10:00:01,000 INFO service.worker of nobody\n")
    return job.job_id


def names_of(database: Database, tenant: str) -> set[str]:
    with database.connect() as connection:
        return names_in_rows(connection, OWNED, tenant)


def rows_of(database: Database, tenant: str) -> dict[str, int]:
    with database.connect() as connection:
        return count_rows(connection, OWNED, tenant)


def index_of(running: TwoTenants) -> VectorIndex:
    return running.context.knowledge._resources.index


@pytest.fixture
def freed_memory_is_overwritten() -> Iterator[None]:
    """Let this process overwrite what it frees, as a home's Chroma does by its environment."""
    mallopt, perturb = ctypes.CDLL(None).mallopt, -6  # M_PERTURB of glibc
    mallopt(perturb, int(OVERWRITES_FREED["MALLOC_PERTURB_"]))
    yield
    mallopt(perturb, 0)


@pytest.mark.usefixtures("freed_memory_is_overwritten")
def test_a_deleted_tenant_leaves_no_byte_in_the_home(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with two_tenants(settings) as running:
        for number, (tenant, words) in enumerate(((ACME, WORDS), (BOLT, OTHERS))):
            fill(running, tenant, words[:20], adapter=number)
            write_beside_rows(running, tenant, words[19:])
        database = running.context.database
        eventually(lambda: all("records" in rows_of(database, each) for each in (ACME, BOLT)))
        names = names_of(database, ACME)
        before = rows_of(database, BOLT)
    assert len(names) > 25
    there = files_with(settings.home, *WORDS, *names, ACME)
    assert set(WORDS) - {WORDS[OF_DELETED_DOCUMENT]} <= there.keys()
    vectors = {path.parent for path in settings.paths.chroma.rglob("data_level0.bin")}

    monkeypatch.setenv("FINGERPOST_HOME", str(settings.home))
    done = CliRunner().invoke(app, ["tenants", "delete", ACME, "--yes", "--json"])

    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["rows"] > 20
    assert (told["folders"], told["left"], told["log_lines"]) == (3, [], 4)
    assert "backup" in told["not_reached"][0]
    assert files_with(settings.home, *WORDS, *names, ACME) == {}
    assert len({path for path in vectors if path.exists()}) <= len(vectors) // 2
    assert set(OTHERS) - {OTHERS[OF_DELETED_DOCUMENT]} <= files_with(settings.home, *OTHERS).keys()
    database = open_database(settings.database_url)
    assert rows_of(database, BOLT) == before
    assert [each.tenant for each in Tenants(database).list()] == ["default", BOLT]
    database.dispose()
    with two_tenants(settings) as running:  # what is left of the index still serves
        asked = {"query": f"What is the {OTHERS[6]} sold?"}
        reply = running.clients[BOLT].post(f"/v1/vector_stores/{BOLT}-handbook/search", json=asked)
        assert OTHERS[6] in reply.text


def test_log_lines_of_others_stay(settings: Settings) -> None:
    with two_tenants(settings) as running:
        for tenant, words in ((ACME, WORDS), (BOLT, OTHERS)):
            write_beside_rows(running, tenant, words)
        log = settings.paths.logs / "worker.log"
        size = log.stat().st_size
        database = running.context.database
        delete_whole_tenant(settings, database, ACME, index=index_of(running))
    lines = log.read_text().splitlines()
    assert log.stat().st_size == size, "a process that appends goes on where it was"
    assert [line.strip() == "" for line in lines] == [True] * 4 + [False] * 6


def test_a_training_ends_before_its_tenant_is_deleted(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[str] = []

    def train(*_: Any, cancelled: Any, **__: Any) -> None:
        events.append("began")
        while not cancelled():
            time.sleep(0.02)
        events.append("ended")
        raise TrainingCancelled("cancelled")

    def delete(*_: Any) -> Any:
        events.append("deleted")
        raise RuntimeError("far enough")

    monkeypatch.setattr("service.worker.handlers.train_adapter", train)
    monkeypatch.setattr("service.worker.handlers.parse_training_config", lambda *_, **__: None)
    monkeypatch.setattr("service.tenants.deletion.delete_tenant", delete)
    with two_tenants(settings) as running:
        file = running.context.files.save("r.jsonl", b"{}", purpose="fine-tune", tenant=ACME)
        args = TrainArgs(file_id=file.file_id, config={})
        job = running.context.jobs.enqueue(TRAIN, args, tenant=ACME)
        eventually(lambda: events == ["began"])
        with pytest.raises(RuntimeError, match="far enough"):
            delete_whole_tenant(settings, running.context.database, ACME, index=None)
        assert running.context.jobs.get(job.job_id, tenant=ACME).status is Status.CANCELLED
    assert events == ["began", "ended", "deleted"]


def test_a_job_that_does_not_end_keeps_the_tenant_and_its_data(settings: Settings) -> None:
    with two_tenants(settings, works=False) as running:
        database = running.context.database
        write_beside_rows(running, ACME, WORDS)
        with database.execution_options(write=True).begin() as connection:
            connection.execute(
                jobs.update().values(status=Status.RUNNING, lease_until=time.time() + 60)
            )
        before = rows_of(database, ACME)
        with pytest.raises(TenantBusy):
            delete_whole_tenant(settings, database, ACME, index=None, job_wait_s=0.1)
        assert rows_of(database, ACME) == before
        with database.execution_options(write=True).begin() as connection:  # its worker died
            connection.execute(jobs.update().values(lease_until=time.time() - 1))
        delete_whole_tenant(settings, database, ACME, index=None, job_wait_s=0.1)
        assert rows_of(database, ACME) == {}


def test_an_adapter_that_another_tenant_has_as_well_keeps_its_folder(settings: Settings) -> None:
    with two_tenants(settings, works=False) as running:
        folder = FakeAdapters(settings.paths.adapters).write("shared")
        for tenant in (ACME, BOLT):
            running.context.registry.register(folder, tenant=tenant)
        done = delete_whole_tenant(settings, running.context.database, ACME, index=None)
        assert any("shared@" in sentence for sentence in done.left)
        running.context.registry.verify(running.context.registry.get(folder.name, tenant=BOLT))


def test_the_default_tenant_and_unknown_ones_are_not_deleted(settings: Settings) -> None:
    with two_tenants(settings, works=False) as running:
        database = running.context.database
        with pytest.raises(TenantKept):
            delete_whole_tenant(settings, database, "default", index=None)
        with pytest.raises(TenantNotFound):
            delete_whole_tenant(settings, database, "nobody", index=None)


@pytest.mark.anyio
async def test_an_answer_that_ends_after_its_tenant_is_gone_leaves_no_record(
    settings: Settings,
) -> None:
    with two_tenants(settings, works=False) as running:
        records = running.context.records
        late = Record("r1", ACME, "u", time.time(), "rag", "m", "answer", {}, {}, {}, "q", "a")
        Tenants(running.context.database).begin_deletion(ACME)
        records.save(late)
        records.save(replace(late, request_id="r2", tenant=BOLT))
        await records.flush()
        assert records.get("r1", tenant=ACME) is None
        assert records.get("r2", tenant=BOLT) is not None


def test_in_a_running_home_the_model_server_unloads_and_what_came_late_goes_too(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with two_tenants(settings, works=False) as running:
        context, home = running.context, settings.paths
        folder = FakeAdapters(home.adapters).write("helpdesk")
        context.registry.register(folder, tenant=ACME)
        running.engine.adapters.update({folder.name: str(folder), "others@1": "/x"})
        home.write_ports(running.context.ports)
        monkeypatch.setattr("service.tenants.deletion.is_running", lambda _: True)

        def write_late(_: float) -> None:
            context.files.save("late.txt", b"late", purpose="batch", tenant=ACME)

        monkeypatch.setattr("service.tenants.deletion.time.sleep", write_late)
        done = delete_whole_tenant(settings, context.database, ACME, index=index_of(running))
        monkeypatch.undo()
        assert running.engine.adapters == {"others@1": "/x"}
        assert rows_of(context.database, ACME) == {}
        assert done.left == ()


def test_copies_that_a_restore_put_aside_are_deleted_or_named(settings: Settings) -> None:
    with two_tenants(settings, works=False) as running:
        home = settings.paths
        folder = FakeAdapters(home.adapters).write("helpdesk")
        running.context.registry.register(folder, tenant=ACME)
        aside = home.adapters / f"{folder.name}.before-restore"
        damaged = home.root / "chroma.damaged-20261130T100000"
        for each in (aside, damaged):
            each.mkdir()
        database = home.root / "state.db.before-restore"
        database.write_bytes(b"")
        done = delete_whole_tenant(settings, running.context.database, ACME, index=None)
        assert not aside.exists()
        assert not damaged.exists()
        assert str(database) in done.not_reached
