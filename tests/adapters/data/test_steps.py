"""What became of a row."""

from dataclasses import replace
from pathlib import Path

from adapters.data.rows import Message, Row
from adapters.data.steps import change, drop, keep

ROW = Row((Message("user", "Hi?"), Message("assistant", "Yes.")), {}, Path("rows.jsonl"), 3)


def test_a_row_is_kept_changed_or_dropped_with_its_reason() -> None:
    other = replace(ROW, meta={"synthetic": True})
    assert keep(ROW, similarity=0.5).rows == (ROW,)
    assert keep(ROW, similarity=0.5).scores == {"similarity": 0.5}
    assert (change(ROW, other, "folded", "width").rows, keep(ROW).reason) == ((other,), "")
    dropped = drop(ROW, "too_short", "1 letter", letters=1.0)
    assert dropped.is_dropped
    assert not keep(ROW).is_dropped
    assert (dropped.row, dropped.reason, dropped.scores["letters"]) == (ROW, "too_short", 1.0)
