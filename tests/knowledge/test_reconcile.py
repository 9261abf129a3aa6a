import shutil
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine, func, select, update

from knowledge import (
    ChromaIndex,
    Knowledge,
    KnowledgeConfig,
    NewDocument,
    ReconcileReport,
    StoreUnavailable,
)
from knowledge.sql.tables import chunks, indexes, versions
from tests.fakes.embedder import FakeEmbedder
from tests.knowledge.conftest import BASE, TENANT, OpenKnowledge

NOTHING = ReconcileReport()


@pytest.fixture
def filled(knowledge: Knowledge) -> Knowledge:
    knowledge.ingest_many(
        BASE,
        [NewDocument(f"d{i}", "d.txt", f"lamp number{i}".encode()) for i in range(30)],
        tenant=TENANT,
    )
    return knowledge


def only(index: ChromaIndex) -> str:
    (collection,) = index.collections()
    return collection


def test_a_store_in_step_needs_nothing(filled: Knowledge) -> None:
    assert filled.reconcile_all() == NOTHING
    assert filled.catch_up() == NOTHING
    assert filled.index_health().pending == 0


def test_orphans_go_and_lost_vectors_come_back(filled: Knowledge, index: ChromaIndex) -> None:
    collection = only(index)
    lost = sorted(index.ids(collection))[:3]
    index.delete(collection, lost)
    index.upsert(collection, ["chk_orphan"], np.ones((1, 64), dtype=np.float32))
    report = filled.catch_up()
    assert (report.orphans_removed, report.missing_added) == (1, 3)
    assert filled.reconcile_all() == NOTHING


def test_an_empty_chroma_folder_is_filled_without_embedding(
    filled: Knowledge,
    open_knowledge: OpenKnowledge,
    index: ChromaIndex,
    embedder: FakeEmbedder,
    tmp_path: Path,
) -> None:
    index.close()
    shutil.rmtree(tmp_path / "chroma")
    fresh = ChromaIndex.open(tmp_path / "chroma_new")
    knowledge = open_knowledge(vectors=fresh)
    assert knowledge.retrieve("lamp number7", base_ids=[BASE], tenant=TENANT).degraded
    embedder.embedded.clear()
    report = knowledge.catch_up()
    assert (report.collections_rebuilt, report.missing_added) == (1, 30)
    assert embedder.embedded == []
    found = knowledge.retrieve("lamp number7", base_ids=[BASE], tenant=TENANT)
    assert (found.degraded, found.passages[0].external_id) == (False, "d7")
    fresh.close()


def test_rebuild_swaps_a_new_generation_in(filled: Knowledge, index: ChromaIndex) -> None:
    before = only(index)
    seen: list[tuple[int, int]] = []
    report = filled.rebuild(BASE, progress=lambda *at: seen.append(at), tenant=TENANT)
    assert (report.collections_rebuilt, report.missing_added) == (1, 30)
    assert only(index) != before
    assert seen[-1] == (30, 30)
    assert filled.reconcile_all() == NOTHING


def test_much_churn_makes_a_new_generation(
    open_knowledge: OpenKnowledge, index: ChromaIndex
) -> None:
    knowledge = open_knowledge(config=KnowledgeConfig(churn_floor=5))
    knowledge.create_base("Handbook", base_id=BASE, tenant=TENANT)
    for version in range(8):
        knowledge.ingest(BASE, "a", "a.txt", f"lamp version{version}".encode(), tenant=TENANT)
    before = only(index)
    assert knowledge.reconcile_all().collections_rebuilt == 1
    assert only(index) != before
    assert knowledge.reconcile_all() == NOTHING


def test_a_generation_replaced_meanwhile_is_left_to_the_other(
    open_knowledge: OpenKnowledge, index: ChromaIndex
) -> None:
    knowledge = open_knowledge(config=KnowledgeConfig(churn_floor=5))
    knowledge.create_base("Handbook", base_id=BASE, tenant=TENANT)
    for version in range(8):
        knowledge.ingest(BASE, "a", "a.txt", f"lamp version{version}".encode(), tenant=TENANT)
    create = ChromaIndex.create

    def rebuilt_meanwhile(self: ChromaIndex, name: str) -> None:
        patch.setattr(ChromaIndex, "create", create)
        knowledge.rebuild(BASE, tenant=TENANT)
        create(self, name)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ChromaIndex, "create", rebuilt_meanwhile)
        assert knowledge.reconcile_all().collections_rebuilt == 0
    assert knowledge.reconcile_all() == NOTHING
    assert index.count(only(index)) == 1
    assert knowledge.check(BASE, tenant=TENANT).generation == 3


def test_a_generation_that_takes_over_in_the_middle_is_the_one_that_is_repaired(
    filled: Knowledge, index: ChromaIndex
) -> None:
    ids = ChromaIndex.ids

    def rebuilt_meanwhile(self: ChromaIndex, name: str) -> set[str]:
        patch.setattr(ChromaIndex, "ids", ids)
        filled.rebuild(BASE, tenant=TENANT)
        return ids(self, name)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ChromaIndex, "ids", rebuilt_meanwhile)
        assert filled.reconcile(BASE, tenant=TENANT) == NOTHING
    assert (index.count(only(index)), filled.check(BASE, tenant=TENANT).generation) == (30, 2)


def test_what_an_interrupted_ingest_left_is_collected(
    open_knowledge: OpenKnowledge, index: ChromaIndex, engine: Engine
) -> None:
    knowledge = open_knowledge(config=KnowledgeConfig(orphan_grace_s=0))
    knowledge.create_base("Handbook", base_id=BASE, tenant=TENANT)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("knowledge.sql.versions.activate", _crash)
        with pytest.raises(SystemExit):
            knowledge.ingest(BASE, "a", "a.txt", b"lamp", tenant=TENANT)
    assert index.count(only(index)) == 1
    report = knowledge.reconcile_all()
    assert (report.stale_collected, report.orphans_removed) == (1, 1)
    with engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(chunks)) == 0
        assert connection.scalars(select(versions.c.text)).all() == [None]


def test_a_document_on_its_way_in_is_no_orphan(knowledge: Knowledge, index: ChromaIndex) -> None:
    reports: list[ReconcileReport] = []
    upsert = ChromaIndex.upsert

    def meanwhile(self: ChromaIndex, *arguments: object) -> None:
        upsert(self, *arguments)  # type: ignore[arg-type]  # passed through as they came
        reports.append(knowledge.reconcile_all())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ChromaIndex, "upsert", meanwhile)
        knowledge.ingest(BASE, "a", "a.txt", b"lamp", tenant=TENANT)
    assert reports == [NOTHING]
    assert index.count(only(index)) == 1


def test_collections_of_deleted_bases_are_dropped(
    filled: Knowledge, index: ChromaIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(ChromaIndex, "drop", lambda *_: None)
        filled.delete_base(BASE, tenant=TENANT)
    index.create("somebody_elses")
    assert filled.reconcile_all().collections_dropped == 1
    assert index.collections() == {"somebody_elses"}


def test_check_tells_what_reconcile_would_do_and_changes_nothing(
    filled: Knowledge, index: ChromaIndex
) -> None:
    assert filled.check(BASE, tenant=TENANT).in_step
    collection = only(index)
    index.delete(collection, sorted(index.ids(collection))[:3])
    index.upsert(collection, ["chk_orphan"], np.ones((1, 64), dtype=np.float32))
    for _ in range(2):
        found = filled.check(BASE, tenant=TENANT)
        assert (found.orphans, found.missing, found.in_step) == (1, 3, False)
        assert (found.documents, found.chunks, found.generation) == (30, 30, 1)
    filled.reconcile(BASE, tenant=TENANT)
    assert filled.check(BASE, tenant=TENANT).in_step
    index.drop(collection)
    lost = filled.check(BASE, tenant=TENANT)
    assert (lost.collection_lost, lost.missing, lost.in_step) == (True, 30, False)
    assert index.collections() == set()


def test_check_while_chroma_is_away_says_so(
    filled: Knowledge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ChromaIndex, "ids", _away)
    found = filled.check(BASE, tenant=TENANT)
    assert (found.available, found.in_step, found.chunks) == (False, False, 30)
    assert "away" in found.detail


def test_a_building_generation_left_by_a_crash_is_dropped(
    filled: Knowledge, index: ChromaIndex, engine: Engine
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("knowledge.sql.bases.activate_generation", _crash)
        with pytest.raises(SystemExit):
            filled.rebuild(BASE, tenant=TENANT)
    assert len(index.collections()) == 2
    assert not filled.retrieve("lamp number7", base_ids=[BASE], tenant=TENANT).degraded
    with engine.execution_options(write=True).begin() as connection:
        old = update(indexes).where(indexes.c.state == "building").values(created_at=0)
        connection.execute(old)
    assert filled.reconcile_all().collections_dropped == 1
    assert filled.reconcile_all() == NOTHING


def _away(*_: object, **__: object) -> None:
    raise StoreUnavailable("Chroma is away")


def _crash(*_: object, **__: object) -> None:
    raise SystemExit("killed here")
