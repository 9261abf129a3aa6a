"""Faults made on purpose; `--long` and `python -m tests.benchmarks.durability` make many."""

from pathlib import Path

import pytest

from tests.benchmarks import damage, killing
from tests.repetition import times


@pytest.mark.timeout(400)
def test_what_was_acknowledged_before_a_kill_is_there_whole_and_once(tmp_path: Path) -> None:
    toll = killing.run(tmp_path, cycles=times(6, 60), seed=11)
    assert toll.faults == 0, toll.findings
    assert toll.operations > 0
    assert toll.reads > 0


@pytest.mark.timeout(180)
def test_a_damaged_index_is_healed_from_sql_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(damage, "KEPT_DOCUMENTS", times(240, 500))
    ways = ("vectors cut", "id map deleted", "stale copy put back")
    monkeypatch.setattr(damage, "WAYS", {way: damage.WAYS[way] for way in ways})
    starts = list(damage.damage(tmp_path, starts=len(ways), seed=3))
    assert [(start.flagged_by, start.healed, start.embedded) for start in starts] == [
        ("probe", True, 0),
        ("probe", True, 0),
        ("reconcile", True, 0),
    ]


@pytest.mark.timeout(180)
def test_churn_leaves_no_orphan_and_nothing_that_is_not_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(damage, "CHURNED_DOCUMENTS", times(300, 1_200))
    churned = damage.churn(tmp_path, seed=3)
    assert (churned.orphans, churned.missing, churned.not_found) == (0, 0, 0)
    assert churned.rebuilt >= 1
