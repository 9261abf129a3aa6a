"""A tenant's knowledge goes as a whole; another's under the same names stays."""

from sqlalchemy import Engine, func, select, table

from knowledge import ChromaIndex, delete_tenant
from knowledge.sql.tables import LEXICAL_TABLE, metadata
from tests.knowledge.conftest import OpenKnowledge

TEXT = b"# Returns\n\nAn unused lamp can be returned within thirty days."


def test_all_of_a_tenant_goes_and_the_same_names_of_another_stay(
    engine: Engine, index: ChromaIndex, open_knowledge: OpenKnowledge
) -> None:
    knowledge = open_knowledge()
    for tenant in ("acme", "bolt"):
        for base in ("one", "two"):
            knowledge.create_base(base, base_id=base, tenant=tenant, keep_versions=2)
            for text in (TEXT, TEXT.replace(b"thirty", b"forty")):
                knowledge.ingest(base, "a.md", "a.md", text, tenant=tenant, access=["staff"])
    assert len(index.collections()) == 4

    done = delete_tenant(engine, index, "acme")

    assert (done.bases, done.collections, done.left_collections) == (2, 2, ())
    assert knowledge.list_bases(tenant="acme") == []
    assert len(index.collections()) == 2
    found = knowledge.retrieve(
        "When can a lamp be returned?",
        base_ids=["one"],
        tenant="bolt",
        top_k=3,
        access=["staff"],
    )
    assert "forty" in found.passages[0].text
    with engine.connect() as connection:
        for each in metadata.tables.values():
            if "tenant" in each.c:
                tenants = connection.scalars(select(each.c.tenant).distinct()).all()
                assert tenants in (["bolt"], []), each.name
        words = select(func.count()).select_from(table(LEXICAL_TABLE))
        assert connection.scalar(words) == 2


def test_without_the_index_its_collections_wait_for_reconcile(
    engine: Engine, index: ChromaIndex, open_knowledge: OpenKnowledge
) -> None:
    knowledge = open_knowledge()
    knowledge.create_base("one", base_id="one", tenant="acme")
    knowledge.ingest("one", "a.md", "a.md", TEXT, tenant="acme")
    done = delete_tenant(engine, None, "acme")
    assert set(done.left_collections) == index.collections()
    assert done.collections == 0


def test_a_tenant_without_anything_is_no_error(engine: Engine, index: ChromaIndex) -> None:
    assert delete_tenant(engine, index, "nobody").bases == 0
