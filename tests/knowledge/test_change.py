import pytest
from sqlalchemy import Engine, select, update

from knowledge import Knowledge, change
from knowledge.tables import bases, versions
from tests.knowledge.conftest import BASE

WEEK = change.WEEK_S


@pytest.fixture
def base_pk(knowledge: Knowledge, engine: Engine) -> int:
    """Fill the base: three documents, of them one replaced twice and one deleted."""
    for name in "abc":
        knowledge.ingest(BASE, name, f"{name}.txt", f"lamp {name}".encode())
    knowledge.ingest(BASE, "a", "a.txt", b"lamp two")
    knowledge.ingest(BASE, "a", "a.txt", b"lamp three")
    knowledge.delete_document(BASE, "b")
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
    facts = knowledge.measure([BASE])
    assert (facts.documents, facts.chunks, facts.window_weeks) == (2, 2, 1.0)
    assert facts.changes_per_week == 3.0
    assert facts.tokens == 4


def test_the_rate_is_taken_over_the_window(
    knowledge: Knowledge, engine: Engine, base_pk: int
) -> None:
    age_everything(engine, 2)
    assert knowledge.measure([BASE]).changes_per_week == pytest.approx(1.5, rel=0.01)
    age_everything(engine, 3)
    facts = knowledge.measure([BASE])
    assert (facts.changes_per_week, facts.window_weeks) == (0.0, change.WINDOW_WEEKS)


def test_an_empty_base_has_never_changed(knowledge: Knowledge) -> None:
    facts = knowledge.measure([BASE])
    assert (facts.documents, facts.changes_per_week, facts.last_change_at) == (0, 0.0, None)


def test_the_last_change_is_the_deletion(
    knowledge: Knowledge, engine: Engine, base_pk: int
) -> None:
    with engine.connect() as connection:
        deleted = connection.scalar(
            select(versions.c.activated_at).where(versions.c.change == "deleted")
        )
    assert knowledge.measure([BASE]).last_change_at == deleted
