"""Citations are written behind the answers, once an hour for a document."""

import time
from collections.abc import Collection

import anyio
import pytest
from anyio import from_thread
from sqlalchemy.exc import OperationalError

from service.cited_documents import CitedDocuments

Written = list[tuple[str, list[str]]]


@pytest.fixture
def written() -> Written:
    return []


@pytest.fixture
def cited(written: Written) -> CitedDocuments:
    def note(document_ids: Collection[str], *, tenant: str, at: float) -> None:
        assert abs(at - time.time()) < 60
        written.append((tenant, sorted(document_ids)))

    return CitedDocuments(note)


@pytest.mark.anyio
async def test_a_document_that_every_answer_cites_is_written_once(
    cited: CitedDocuments, written: Written
) -> None:
    for _ in range(3):
        cited.add(["a", "b"], tenant="one")
        cited.add(["a"], tenant="two")
        await cited.flush()
    assert written == [("one", ["a", "b"]), ("two", ["a"])]


@pytest.mark.anyio
async def test_it_is_written_again_an_hour_later(
    cited: CitedDocuments, written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    cited.add(["a"], tenant="one")
    began = time.monotonic()
    for later, times in ((3_500, 1), (3_700, 2)):
        with monkeypatch.context() as patch:
            patch.setattr("time.monotonic", lambda later=later: began + later)
            cited.add(["a"], tenant="one")
        await cited.flush()
        assert len(written) == times


@pytest.mark.anyio
async def test_a_clock_that_is_set_changes_nothing(
    cited: CitedDocuments, written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    cited.add(["a"], tenant="one")
    for jump_s in (-86_400, 86_400):
        set_to = time.time() + jump_s
        with monkeypatch.context() as patch:
            patch.setattr("time.time", lambda set_to=set_to: set_to)
            cited.add(["a"], tenant="one")
    await cited.flush()
    assert [documents for _, documents in written] == [["a"]]


@pytest.mark.anyio
async def test_what_the_database_refuses_is_written_later() -> None:
    tried: list[int] = []

    def note(document_ids: Collection[str], *, tenant: str, at: float) -> None:
        tried.append(len(document_ids))
        if len(tried) == 1:
            raise OperationalError("UPDATE", {}, Exception("database is locked"))

    cited = CitedDocuments(note)
    cited.add(["a", "b"], tenant="one")
    for _ in range(3):
        await cited.flush()
    assert tried == [2, 2]


@pytest.mark.anyio
async def test_no_more_documents_are_remembered_than_fit(
    cited: CitedDocuments, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.cited_documents.MOST_KNOWN", 3)
    cited.add([str(number) for number in range(10)], tenant="one")
    assert len(cited._known) <= 3


@pytest.mark.anyio
async def test_citations_are_written_while_it_runs_and_at_its_end(
    written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = anyio.Event()

    def note(document_ids: Collection[str], *, tenant: str, at: float) -> None:
        written.append((tenant, sorted(document_ids)))
        monkeypatch.setattr("service.cited_documents.BATCH_S", 3_600.0)
        from_thread.run_sync(first.set)

    monkeypatch.setattr("service.cited_documents.BATCH_S", 0.001)
    cited = CitedDocuments(note)
    cited.add(["a"], tenant="one")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(cited.write_behind)
        with anyio.fail_after(30):
            await first.wait()
        cited.add(["b"], tenant="one")
        tasks.cancel_scope.cancel()
    assert written == [("one", ["a"]), ("one", ["b"])]


@pytest.mark.anyio
async def test_a_document_past_those_that_are_remembered_is_written_as_well(
    cited: CitedDocuments, written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.cited_documents.MOST_KNOWN", 2)
    cited.add(["a", "b", "c"], tenant="one")
    await cited.flush()
    assert written == [("one", ["a", "b", "c"])]
