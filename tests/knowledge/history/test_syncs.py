"""A folder's last sync is told, and documents that a folder holds become its own."""

import hashlib

import pytest

from knowledge import CollectionNotFound, Knowledge, NewDocument, SyncNotFound
from tests.knowledge.conftest import BASE, TENANT

HERE, THERE = "desk:/docs", "desk:/other"


def origins(knowledge: Knowledge) -> dict[str, str | None]:
    rows = knowledge.list_documents(BASE, tenant=TENANT)
    return {row.external_id: row.synced_from for row in rows}


def test_a_folder_takes_over_what_it_holds_as_it_is_and_nothing_uploaded(
    knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("knowledge.sql.history.syncs._BATCH", 2)
    of = {"a": THERE, "b": THERE, "c": HERE, "d": "", "e": THERE, "f": THERE}
    documents = [
        NewDocument(name, f"{name}.txt", f"lamp {name}".encode(), synced_from=source)
        for name, source in of.items()
    ]
    knowledge.ingest_many(BASE, documents, tenant=TENANT)
    contents = {name: hashlib.sha256(f"lamp {name}".encode()).hexdigest() for name in "abcdf"}
    contents["b"] = hashlib.sha256(b"written meanwhile").hexdigest()
    _, adopted = knowledge.syncs.begin(BASE, HERE, contents=contents, tenant=TENANT)
    assert adopted == ["a", "f"]
    assert origins(knowledge) == {**of, "a": HERE, "f": HERE}


def test_the_last_run_of_each_folder_is_told_newest_first(knowledge: Knowledge) -> None:
    first, _ = knowledge.syncs.begin(BASE, HERE, contents={}, tenant=TENANT)
    there, _ = knowledge.syncs.begin(BASE, THERE, contents={}, tenant=TENANT)
    last, _ = knowledge.syncs.begin(BASE, HERE, contents={}, tenant=TENANT)
    assert knowledge.syncs.list(BASE, tenant=TENANT) == [last, there]
    assert (last.state, last.ended_at, last.report) == ("unfinished", None, {})
    with pytest.raises(SyncNotFound):
        knowledge.syncs.report(BASE, first.sync_id, state="finished", report={}, tenant=TENANT)
    with pytest.raises(CollectionNotFound):
        knowledge.syncs.list(BASE, tenant="elsewhere")


def test_a_run_says_how_far_it_is_and_how_it_ended(knowledge: Knowledge) -> None:
    begun, _ = knowledge.syncs.begin(BASE, HERE, contents={}, tenant=TENANT)
    knowledge.syncs.begin(BASE, THERE, contents={}, tenant=TENANT)
    done: dict[str, object] = {"added": ["a"]}

    def report(state: str) -> tuple[str, object, bool]:
        told = knowledge.syncs.report(BASE, begun.sync_id, state=state, report=done, tenant=TENANT)
        assert told.heard_at > begun.heard_at
        assert told.began_at == begun.began_at
        return told.source, told.report, told.ended_at == told.heard_at

    assert report("unfinished") == (HERE, done, False)
    assert report("finished") == (HERE, done, True)
