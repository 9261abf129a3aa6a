"""Two versions of one list of questions, and answers that a later row replaces."""

from adapters.data import compare_versions
from adapters.data.readiness.versions import Outdated, OutdatedSettings
from adapters.data.rows import Row
from tests.adapters.data.readiness.rows import row

OLD = [
    row("退货要多久？", "7 天", line=1, date="2024-05-01"),
    row("运费谁出", "买家", line=2),
    row("有纸质发票吗", "有", line=3),
]
NEW = [
    row("退货 要多久?", "15 天。", line=1, date="2026-02-01"),
    row("運費", "x", line=2),
    row("运费谁出？", "买家。", line=3),
]


def test_the_same_question_with_another_answer_is_told_with_both() -> None:
    found = compare_versions(OLD, NEW)
    assert (found.same, found.added, found.removed) == (1, 1, 1)
    (changed,) = found.changed
    assert (changed.older.line, changed.newer.line) == (1, 1)
    assert (changed.older_answer, changed.newer_answer) == ("7 天", "15 天。")
    assert (changed.older.reason, changed.newer.reason) == ("dated 2024-05-01", "dated 2026-02-01")
    assert [one.line for one in found.outdated] == [1, 3]
    assert found.as_dict()["changed"] == 1


def test_personal_data_of_answers_is_masked() -> None:
    found = compare_versions([row("谁", "13812345678")], [row("谁", "王")])
    assert found.changed[0].older_answer == "<cn_mobile>"


def judged(*rows: Row, action: str = "drop") -> list[str]:
    step = Outdated(OutdatedSettings(action=action))  # type: ignore[arg-type]  # one of two
    return [result.reason for result in step.run(rows)]


def test_the_later_answer_replaces_the_earlier_one() -> None:
    old, new = row("a?", "1", line=1, date="2024-01-01"), row("A", "2", line=2, date="2025-01-01")
    assert judged(old, new) == ["outdated_answer", ""]
    assert judged(new, old) == ["", "outdated_answer"]
    (result, _) = Outdated(OutdatedSettings()).run([old, new])
    assert result.is_dropped
    assert result.detail == "dated 2024-01-01; rows.jsonl:2, dated 2025-01-01, answers otherwise"


def test_what_nobody_can_tell_is_left_alone() -> None:
    assert judged(row("a", "1"), row("a", "2")) == ["", ""]
    assert judged(row("a", "1", date="2025-01-01"), row("a", "2")) == ["", ""]
    same_day = [row("a", answer, date="2025-01-01") for answer in "12"]
    assert judged(*same_day) == ["", ""]
    same_answer = row("a", "1", date="2024-01-01"), row("a", "1。", date="2025-01-01")
    assert judged(*same_answer) == ["", ""]
    assert judged(row("a", "1", date="2024-01-01"), row("b", "2", date="2025-01-01")) == ["", ""]


def test_marked_answers_stay_and_say_what_replaces_them() -> None:
    old, new = row("a", "1", line=1, date="2024-01-01"), row("a", "2", line=2, date="2025-01-01")
    (result, _) = Outdated(OutdatedSettings(action="mark")).run([old, new])
    assert result.rows[0].meta["outdated"] is True
    assert result.rows[0].meta["replaced_by"] == "rows.jsonl:2"
