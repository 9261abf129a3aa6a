"""A diff leads from one text to the other, however large the change is."""

import pytest

from knowledge.history.diff import diff_lines


def patched(old: str, lines: list[str]) -> str:
    """Apply a unified diff, as patch(1) would."""
    before, after, at = old.split("\n"), list[str](), 0
    for line in lines[2:]:
        if line.startswith("@@"):
            start = int(line[4:].partition(" ")[0].partition(",")[0]) - 1
            after += before[at:start]
            at = start
        elif line[:1] in (" ", "-"):
            assert before[at] == line[1:]
            after += [before[at]] if line[0] == " " else []
            at += 1
        else:
            after.append(line[1:])
    return "\n".join([*after, *before[at:]])


OLD = "\n".join(f"line {number}" for number in range(40))
NEW = OLD.replace("line 20", "row 20").replace("line 3\n", "") + "\nlast"


@pytest.mark.parametrize("pairs", [400_000_000, 0])
@pytest.mark.parametrize(("old", "new"), [(OLD, NEW), (NEW, OLD), ("", "a\nb"), ("a", "b")])
def test_a_diff_leads_from_one_text_to_the_other(
    old: str, new: str, pairs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("knowledge.history.diff.MOST_PAIRS", pairs)
    lines = list(diff_lines(old, new, "a", "b"))
    assert lines[:2] == ["--- a", "+++ b"]
    assert patched(old, lines) == new


def test_equal_texts_have_no_diff_and_a_small_change_shows_three_lines_around() -> None:
    assert list(diff_lines(OLD, OLD, "a", "b")) == []
    lines = list(diff_lines(OLD, OLD.replace("line 20", "row 20"), "a", "b"))
    assert lines[2] == "@@ -18,7 +18,7 @@"
    assert lines[3:] == [
        *(f" line {number}" for number in (17, 18, 19)),
        "-line 20",
        "+row 20",
        *(f" line {number}" for number in (21, 22, 23)),
    ]


def test_a_large_change_is_one_hunk_that_counts_its_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    new = OLD.replace("line 5\n", "row 5\n").replace("line 20", "row 20\nrow 21")
    assert sum(line.startswith("@@") for line in diff_lines(OLD, new, "a", "b")) == 2
    monkeypatch.setattr("knowledge.history.diff.MOST_PAIRS", 0)
    lines = list(diff_lines(OLD, new, "a", "b"))
    assert lines[2:4] == ["@@ -3,22 +3,23 @@", " line 2"]
    assert lines[-3:] == [" line 21", " line 22", " line 23"]
