import hashlib

import pytest

from knowledge import CollectionNotFound, DocumentNotFound, Knowledge
from tests.knowledge.conftest import BASE, TENANT


@pytest.fixture
def changed(knowledge: Knowledge) -> Knowledge:
    """Return a base in which one document was replaced and deleted beside another one."""
    knowledge.ingest(BASE, "a", "a.txt", b"lamp one", tenant=TENANT)
    knowledge.ingest(BASE, "b", "b.txt", b"lamp other", tenant=TENANT)
    knowledge.ingest(BASE, "a", "a.txt", b"lamp two", tenant=TENANT)
    knowledge.delete_document(BASE, "a", tenant=TENANT)
    return knowledge


def test_history_tells_every_version_and_who_replaced_it(changed: Knowledge) -> None:
    found = changed.versions.history(BASE, "a", tenant=TENANT)
    assert [(e.version, e.change, e.replaces, e.replaced_by) for e in found] == [
        (3, "deleted", 2, None),
        (2, "replaced", 1, 3),
        (1, "added", None, 2),
    ]
    assert [e.is_active for e in found] == [False, False, False]
    first = found[-1]
    assert first.content_hash == hashlib.sha256(b"lamp one").hexdigest()
    assert (first.bytes, first.chunks, first.filename) == (8, 1, "a.txt")
    assert found[0].changed_at >= found[1].changed_at >= first.changed_at > 0


def test_history_of_a_base_is_newest_first_in_pages(changed: Knowledge) -> None:
    everything = changed.versions.history(BASE, tenant=TENANT)
    assert [(e.external_id, e.version) for e in everything] == [
        ("a", 3),
        ("a", 2),
        ("b", 1),
        ("a", 1),
    ]
    assert [e.external_id for e in everything if e.is_active] == ["b"]
    pages, after = [], None
    while page := changed.versions.history(BASE, limit=1, after=after, tenant=TENANT):
        pages += page
        after = page[-1].version_id
    assert pages == everything


def test_a_version_that_never_answered_is_no_history(
    knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("knowledge.sql.versions.activate", _killed)
        with pytest.raises(SystemExit):
            knowledge.ingest(BASE, "a", "a.txt", b"lamp half", tenant=TENANT)
    assert knowledge.versions.history(BASE, tenant=TENANT) == []
    knowledge.ingest(BASE, "a", "a.txt", b"lamp whole", tenant=TENANT)
    assert [
        (e.version, e.replaces) for e in knowledge.versions.history(BASE, "a", tenant=TENANT)
    ] == [(2, None)]


def test_history_of_what_never_was_is_refused(changed: Knowledge) -> None:
    changed.create_base("Other", base_id="other", tenant=TENANT)
    for base, document, after in (
        (BASE, "none", None),
        (BASE, None, "doc_none@1"),
        (BASE, None, "nonsense"),
        (BASE, None, "@\u00b2"),
        ("other", "b", None),
    ):
        with pytest.raises(DocumentNotFound):
            changed.versions.history(base, document, after=after, tenant=TENANT)
    with pytest.raises(CollectionNotFound):
        changed.versions.history("none", tenant=TENANT)


def test_documents_are_paged_by_either_name_even_past_a_deleted_one(knowledge: Knowledge) -> None:
    for name in "abcd":
        knowledge.ingest(BASE, name, f"{name}.txt", f"lamp {name}".encode(), tenant=TENANT)
    second = knowledge.get_document(BASE, "b", tenant=TENANT)
    knowledge.delete_document(BASE, "b", tenant=TENANT)
    for after in (second.document_id, "b"):
        rest = knowledge.list_documents(BASE, after=after, tenant=TENANT)
        assert [document.external_id for document in rest] == ["c", "d"]
    with pytest.raises(DocumentNotFound):
        knowledge.list_documents(BASE, after="none", tenant=TENANT)


def _killed(*_: object, **__: object) -> None:
    raise SystemExit("killed here")
