"""A document is stale once nobody changed or cited it for long."""

import time

import pytest
from sqlalchemy import Engine, text

from knowledge import DocumentNotFound, InvalidQuery, Knowledge
from tests.knowledge.conftest import BASE, TENANT

DAY_S = 86_400.0


@pytest.fixture
def aged(knowledge: Knowledge, engine: Engine) -> Knowledge:
    """Return a base with two documents of 100 days ago."""
    for name in ("a", "b"):
        knowledge.ingest(BASE, name, f"{name}.txt", f"lamp {name}".encode(), tenant=TENANT)
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE kb_versions SET activated_at = activated_at - :s"), {"s": 100 * DAY_S}
        )
    return knowledge


def stale(knowledge: Knowledge, days: int = 30) -> list[str]:
    found = knowledge.usage.stale(BASE, days, tenant=TENANT).documents
    return [document.external_id for document in found]


def cite(knowledge: Knowledge, name: str, days_ago: float, tenant: str = TENANT) -> None:
    document = knowledge.get_document(BASE, name, tenant=TENANT)
    at = time.time() - days_ago * DAY_S
    knowledge.usage.note_cited([document.document_id], tenant=tenant, at=at)


def test_a_document_is_stale_after_so_many_days(aged: Knowledge) -> None:
    assert stale(aged, 99) == ["a", "b"]
    assert stale(aged, 101) == []


def test_a_cited_or_changed_document_is_not(aged: Knowledge) -> None:
    cite(aged, "a", 40)
    assert stale(aged) == ["a", "b"]
    cite(aged, "a", 20)
    cite(aged, "b", 20, tenant="elsewhere")
    assert stale(aged) == ["b"]
    cite(aged, "a", 50)
    assert stale(aged) == ["b"], "an older citation that comes late changes nothing"
    aged.ingest(BASE, "b", "b.txt", b"another lamp", tenant=TENANT)
    assert stale(aged) == []


def test_new_labels_are_no_change_and_a_deleted_document_is_not_stale(aged: Knowledge) -> None:
    aged.ingest(BASE, "a", "a.txt", b"lamp a", access={"hr"}, tenant=TENANT)
    aged.delete_document(BASE, "b", tenant=TENANT)
    (found,) = aged.usage.stale(BASE, 30, tenant=TENANT).documents
    assert (found.external_id, found.access, found.cited_at) == ("a", ("hr",), None)
    assert time.time() - found.changed_at > 99 * DAY_S


def test_stale_documents_come_in_pages(aged: Knowledge) -> None:
    first = aged.usage.stale(BASE, 30, tenant=TENANT, limit=1).documents
    second = aged.usage.stale(BASE, 30, tenant=TENANT, after=first[0].document_id).documents
    assert [one.external_id for one in (*first, *second)] == ["a", "b"]
    with pytest.raises(DocumentNotFound):
        aged.usage.stale(BASE, 30, tenant=TENANT, after="none")
    with pytest.raises(InvalidQuery):
        aged.usage.stale(BASE, 0, tenant=TENANT)


def test_the_time_of_a_citation_is_kept_to_the_hour(aged: Knowledge) -> None:
    noted = []
    for hours_ago in (960, 959.5, 958):
        cite(aged, "a", hours_ago / 24)
        noted.append(aged.usage.stale(BASE, 30, tenant=TENANT).documents[0].cited_at)
    first, soon, later = noted
    assert first is not None
    assert later is not None
    assert (soon, round(later - first)) == (first, 7_200)


def test_citations_are_known_since_the_base_was_made_the_base_was_made(aged: Knowledge) -> None:
    found = aged.usage.stale(BASE, 30, tenant=TENANT)
    assert found.citations_since == aged.get_base(BASE, tenant=TENANT).created_at


def test_citations_of_an_older_base_are_known_since_they_are_noted(
    aged: Knowledge, engine: Engine
) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE kb_bases SET citations_since = 1782000000"))
    assert aged.usage.stale(BASE, 30, tenant=TENANT).citations_since == 1_782_000_000
