"""Lists leave out what a reader's labels do not open, page by page; writes keep off it."""

from collections.abc import Callable

import pytest

from knowledge import AccessConflict, DocumentNotFound, Knowledge, NewDocument
from knowledge.errors import ExternalIdTaken, LabelsNotHeld
from tests.knowledge.conftest import BASE, TENANT

HR, IT = frozenset({"hr"}), frozenset({"it"})
OPEN, GUARDED = ("a", "c", "e"), ("b", "d")
PAY = "The night rate of the hall is 31 euros for every hour that begins after ten in the evening."


def put(
    knowledge: Knowledge,
    name: str,
    text: str,
    access: frozenset[str] | None = None,
    held: frozenset[str] | None = None,
) -> frozenset[str]:
    source = NewDocument(name, f"{name}.md", text.encode(), access=access, held=held)
    (report,) = knowledge.ingest_many(BASE, [source], tenant=TENANT)
    return frozenset(report.access)


@pytest.fixture
def mixed(knowledge: Knowledge) -> Knowledge:
    """Return a base in which guarded documents stand between open ones."""
    knowledge.versions.keep(BASE, 5, tenant=TENANT)
    for name in sorted((*OPEN, *GUARDED)):
        put(knowledge, name, f"Lamp {name * 3}.", HR if name in GUARDED else frozenset())
    return knowledge


def pages(knowledge: Knowledge, access: frozenset[str] | None) -> list[list[str]]:
    found: list[list[str]] = []
    after = None
    while rows := knowledge.list_documents(
        BASE, tenant=TENANT, access=access, limit=2, after=after
    ):
        found.append([row.external_id for row in rows])
        after = rows[-1].document_id
    return found


def test_a_page_of_documents_is_full_of_those_that_may_be_read(mixed: Knowledge) -> None:
    assert pages(mixed, IT) == [["a", "c"], ["e"]]
    assert pages(mixed, HR) == pages(mixed, None) == [["a", "b"], ["c", "d"], ["e"]]
    with pytest.raises(DocumentNotFound):
        mixed.list_documents(BASE, tenant=TENANT, access=IT, after="b")


def test_a_document_of_other_labels_is_told_as_one_that_never_was(mixed: Knowledge) -> None:
    def told(name: str) -> set[str]:
        ways: tuple[Callable[[], object], ...] = (
            lambda: mixed.get_document(BASE, name, tenant=TENANT, access=IT),
            lambda: mixed.document_text(BASE, name, tenant=TENANT, access=IT),
            lambda: mixed.delete_document(BASE, name, tenant=TENANT, access=IT),
            lambda: mixed.versions.text(BASE, name, 1, tenant=TENANT, access=IT),
            lambda: mixed.versions.text(BASE, name, 9, tenant=TENANT, access=IT),
            lambda: mixed.versions.history(BASE, name, tenant=TENANT, access=IT),
            lambda: mixed.versions.roll_back(BASE, name, 1, tenant=TENANT, access=IT),
        )
        found = set()
        for number, way in enumerate(ways):
            with pytest.raises(DocumentNotFound) as raised:
                way()
            found.add(f"{number} {raised.value}".replace(f"'{name}'", "NAME"))
        return found

    assert told("b") == told("nowhere")
    assert mixed.get_document(BASE, "b", tenant=TENANT, access=HR).external_id == "b"


def test_the_history_leaves_out_versions_of_other_labels(mixed: Knowledge) -> None:
    mixed.delete_document(BASE, "d", tenant=TENANT)
    put(mixed, "b", "Lamp four.", IT)  # it was guarded by others before

    def names(access: frozenset[str] | None, limit: int | None = None) -> list[tuple[str, int]]:
        rows = mixed.versions.history(BASE, tenant=TENANT, access=access, limit=limit)
        return [(row.external_id, row.version) for row in rows]

    assert names(None) == [("b", 2), ("d", 2), ("e", 1), ("d", 1), ("c", 1), ("b", 1), ("a", 1)]
    assert names(IT) == [("b", 2), ("e", 1), ("c", 1), ("a", 1)]
    assert names(IT, 2) == [("b", 2), ("e", 1)]
    assert names(HR) == [("d", 2), ("e", 1), ("d", 1), ("c", 1), ("a", 1)]
    assert names(HR | IT) == names(None)
    hidden = mixed.versions.history(BASE, "d", tenant=TENANT)[0].version_id
    with pytest.raises(DocumentNotFound):
        mixed.versions.history(BASE, tenant=TENANT, access=IT, after=hidden)
    with pytest.raises(DocumentNotFound):
        mixed.versions.text(BASE, "b", 1, tenant=TENANT, access=IT)


def test_stale_documents_of_other_labels_are_left_out(mixed: Knowledge) -> None:
    with mixed._resources.database.begin() as connection:
        connection.exec_driver_sql("UPDATE kb_versions SET activated_at = 1")
    found = mixed.usage.stale(BASE, 1, tenant=TENANT, access=IT, limit=2).documents
    assert [row.external_id for row in found] == ["a", "c"]
    with pytest.raises(DocumentNotFound):
        mixed.usage.stale(BASE, 1, tenant=TENANT, access=IT, after="b")


def test_nobody_replaces_a_document_that_he_may_not_read(mixed: Knowledge) -> None:
    for held, access in ((IT, IT), (IT, None), (frozenset(), frozenset())):
        with pytest.raises(ExternalIdTaken, match="'b' is taken"):
            put(mixed, "b", "Mine.", access, held)
        with pytest.raises(ExternalIdTaken):  # the same bytes are not told either
            put(mixed, "b", "Lamp bbb.", access, held)
    mixed.delete_document(BASE, "d", tenant=TENANT)
    with pytest.raises(ExternalIdTaken):
        put(mixed, "d", "Mine.", IT, IT)
    assert mixed.document_text(BASE, "b", tenant=TENANT).text == "Lamp bbb."
    assert put(mixed, "b", "Lamp four.", None, HR) == HR
    assert put(mixed, "a", "Lamp five.", None, IT) == frozenset()


def test_nobody_writes_a_document_that_he_could_not_read(mixed: Knowledge) -> None:
    with pytest.raises(LabelsNotHeld):
        put(mixed, "new", "New lamp.", HR, IT)
    assert put(mixed, "new", "New lamp.", HR | IT, IT) == HR | IT


def test_a_copy_of_what_others_guard_is_refused_without_a_word_about_it(mixed: Knowledge) -> None:
    source = NewDocument("pay", "pay.md", PAY.encode(), {"team": "payroll"}, HR)
    mixed.ingest_many(BASE, [source], tenant=TENANT)
    with pytest.raises(LabelsNotHeld) as raised:
        put(mixed, "copy", PAY, None, IT)
    assert "hr" not in str(raised.value)
    assert "'pay'" not in str(raised.value)
    put(mixed, "other", PAY, frozenset({"board"}))
    with pytest.raises(LabelsNotHeld):  # and not AccessConflict, which names both
        put(mixed, "copy", PAY, None, HR)
    with pytest.raises(AccessConflict):
        put(mixed, "copy", PAY)
    assert put(mixed, "copy", PAY, IT, IT) == IT
    assert mixed.get_document(BASE, "copy", tenant=TENANT).attributes == {}


def test_a_sync_takes_over_no_document_of_other_labels(mixed: Knowledge) -> None:
    rows = mixed.list_documents(BASE, tenant=TENANT)
    with mixed._resources.database.begin() as connection:
        connection.exec_driver_sql("UPDATE kb_versions SET synced_from = 'elsewhere'")
    contents = {row.external_id: row.content_hash for row in rows}
    _, adopted = mixed.syncs.begin(BASE, "here", contents=contents, tenant=TENANT, access=IT)
    assert adopted == list(OPEN)


@pytest.mark.parametrize("label", ['it", "hr', "it\\", "标签", ", "])
def test_labels_are_compared_whole(knowledge: Knowledge, label: str) -> None:
    for number, labels in enumerate(({label}, {"it", "hr"}, {"it"})):
        put(knowledge, f"d{number}", f"Lamp {number}.", frozenset(labels))

    def names(held: str) -> list[str]:
        found = knowledge.versions.history(BASE, tenant=TENANT, access=frozenset({held}))
        return [row.external_id for row in found]

    assert (names(label), names("it"), names("h")) == (["d0"], ["d2", "d1"], [])
