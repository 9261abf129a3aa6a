import time

import pytest

from adapters.data.structure.patterns import Pattern, TooSlow, written_out


def test_named_groups_and_places_are_told() -> None:
    found = Pattern(r"^第(?P<n>[\d.]+)条(?P<t>甲)?").find_all("序\n第3.2条 租金", timeout_s=1)
    assert [(one.groups, one.match, one.start, one.end) for one in found] == [
        ({"n": "3.2", "t": ""}, "第3.2条", 2, 7)
    ]


@pytest.mark.parametrize("pattern", [r"(a|aa)+$", r"(?:a+b?)+c", r"(\w+\s?)+[!]$"])
def test_a_pattern_that_backtracks_without_end_is_stopped(pattern: str) -> None:
    began = time.monotonic()
    with pytest.raises(TooSlow):
        Pattern(pattern).find_all("a" * 50_000 + "b!。", timeout_s=0.1)
    assert time.monotonic() - began < 15  # it would take years


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("第(", "not a pattern"),
        ("第?", "matches the empty text"),
        ("((a{1000}){1000}){1000}", "counted repeats"),
        ("x" * 2001, "longer than"),
    ],
)
def test_a_pattern_that_cannot_be_used_is_refused(pattern: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Pattern(pattern)


@pytest.mark.parametrize(
    ("pattern", "letters"),
    [
        ("abc", 3),
        (r"\{a{3}", 4),
        ("[a{9}]{2,5}", 5),
        ("(ab{2}){3}c", 10),
        ("((a{100}){100}){10}", 100_000),
        ("[]x]{2}", 2),
        ("a{,7}", 7),
    ],
)
def test_counted_repeats_are_counted_as_they_are_written_out(pattern: str, letters: int) -> None:
    assert written_out(pattern) == letters
