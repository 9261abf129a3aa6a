import pytest
from sqlalchemy import Engine, func, select, update

from knowledge import Chunking, Knowledge
from knowledge.sql import change_rate
from knowledge.sql.tables import bases, chunks, versions
from tests.knowledge.conftest import BASE, TENANT

WEEK = change_rate.WEEK_S


@pytest.fixture
def base_pk(knowledge: Knowledge, engine: Engine) -> int:
    """Fill the base: three documents, of them one replaced twice and one deleted."""
    for name in "abc":
        knowledge.ingest(BASE, name, f"{name}.txt", f"lamp {name}".encode(), tenant=TENANT)
    knowledge.ingest(BASE, "a", "a.txt", b"lamp two", tenant=TENANT)
    knowledge.ingest(BASE, "a", "a.txt", b"lamp three", tenant=TENANT)
    knowledge.delete_document(BASE, "b", tenant=TENANT)
    with engine.connect() as connection:
        return int(connection.scalar(select(bases.c.pk)) or 0)


def age_everything(engine: Engine, weeks: float) -> None:
    """Move the whole history into the past."""
    with engine.execution_options(write=True).begin() as connection:
        older = versions.c.activated_at - weeks * WEEK
        connection.execute(update(versions).values(activated_at=older))


def test_replacements_and_deletions_count_and_additions_do_not(
    knowledge: Knowledge, base_pk: int
) -> None:
    facts = knowledge.measure([BASE], tenant=TENANT)
    assert (facts.documents, facts.chunks, facts.window_weeks) == (2, 2, 1.0)
    assert facts.changes_per_week == 3.0
    assert facts.tokens == 4


def test_the_rate_is_taken_over_the_window(
    knowledge: Knowledge, engine: Engine, base_pk: int
) -> None:
    age_everything(engine, 2)
    assert knowledge.measure([BASE], tenant=TENANT).changes_per_week == pytest.approx(1.5, rel=0.01)
    age_everything(engine, 3)
    facts = knowledge.measure([BASE], tenant=TENANT)
    assert (facts.changes_per_week, facts.window_weeks) == (0.0, change_rate.WINDOW_WEEKS)


def test_an_empty_base_has_never_changed(knowledge: Knowledge) -> None:
    facts = knowledge.measure([BASE], tenant=TENANT)
    assert (facts.documents, facts.changes_per_week, facts.last_change_at) == (0, 0.0, None)
    assert (facts.chunk_changes_per_week, facts.age_days, facts.unchanged_days) == (0.0, None, None)


def test_the_last_change_is_the_deletion(
    knowledge: Knowledge, engine: Engine, base_pk: int
) -> None:
    with engine.connect() as connection:
        deleted = connection.scalar(
            select(versions.c.activated_at).where(versions.c.change == "deleted")
        )
    assert knowledge.measure([BASE], tenant=TENANT).last_change_at == deleted


SENTENCES = [f"Lamp number {n} has a brass foot and a glass shade." for n in range(12)]


@pytest.fixture
def manual(knowledge: Knowledge) -> str:
    """A base of short chunks with one document of many; returns its id."""
    small = Chunking(strategy="sentence", chunk_tokens=40, overlap_tokens=12)
    knowledge.create_base("Manuals", base_id="manuals", chunking=small, tenant=TENANT)
    knowledge.ingest("manuals", "m", "m.txt", " ".join(SENTENCES).encode(), tenant=TENANT)
    return "manuals"


def test_only_the_chunks_whose_text_is_gone_have_changed(knowledge: Knowledge, manual: str) -> None:
    before = knowledge.measure([manual], tenant=TENANT)
    assert (before.chunk_changes_per_week, before.chunks) == (0.0, 6)
    edited = [s.replace("brass", "steel") if " 5 " in s else s for s in SENTENCES]
    knowledge.ingest(manual, "m", "m.txt", " ".join(edited).encode(), tenant=TENANT)
    after = knowledge.measure([manual], tenant=TENANT)
    assert (after.changes_per_week, after.chunk_changes_per_week) == (1.0, 2.0)  # with its overlap


def test_a_deleted_document_changes_all_its_chunks(knowledge: Knowledge, manual: str) -> None:
    all_chunks = knowledge.measure([manual], tenant=TENANT).chunks
    knowledge.delete_document(manual, "m", tenant=TENANT)
    assert knowledge.measure([manual], tenant=TENANT).chunk_changes_per_week == all_chunks
    knowledge.ingest(
        manual, "m", "m.txt", b"Back again.", tenant=TENANT
    )  # nothing was there to end
    assert knowledge.measure([manual], tenant=TENANT).chunk_changes_per_week == all_chunks


def test_text_that_chunks_share_is_counted_once(
    knowledge: Knowledge, engine: Engine, manual: str
) -> None:
    words = sum(len(sentence.split()) for sentence in SENTENCES)
    assert knowledge.measure([manual], tenant=TENANT).tokens == pytest.approx(words, rel=0.05)
    with engine.connect() as connection:  # the chunks themselves hold more
        assert (connection.scalar(select(func.sum(chunks.c.tokens))) or 0) > 1.3 * words


def test_age_counts_from_the_first_document_and_rest_from_the_last_change(
    knowledge: Knowledge, engine: Engine, base_pk: int
) -> None:
    age_everything(engine, 2)
    knowledge.ingest(BASE, "d", "d.txt", b"lamp four", tenant=TENANT)
    age_everything(engine, 1)
    knowledge.ingest(BASE, "d", "d.txt", b"lamp four", attributes={"team": "desk"}, tenant=TENANT)
    facts = knowledge.measure([BASE], tenant=TENANT)
    assert facts.age_days == pytest.approx(21, rel=0.01)
    assert facts.unchanged_days == pytest.approx(7, rel=0.01)  # new attributes change no text


def test_a_clock_set_back_makes_no_negative_age(
    knowledge: Knowledge, engine: Engine, base_pk: int
) -> None:
    age_everything(engine, -3)
    facts = knowledge.measure([BASE], tenant=TENANT)
    assert (facts.age_days, facts.unchanged_days) == (0.0, 0.0)
