"""How two texts differ: a unified diff, in a time that has a limit.

It knows lines; it does not know documents or versions.
"""

from collections.abc import Iterator
from difflib import unified_diff

CONTEXT = 3  # unchanged lines around a change, as diff(1) shows them
MOST_PAIRS = 400_000_000
"""Changed lines of one text times those of the other up to which `difflib` looks for the fewest
changes: 20,000 lines in other places, of 150 different ones, take 4 s on two busy cores."""


def diff_lines(old: str, new: str, old_name: str, new_name: str) -> Iterator[str]:
    """Yield the lines of a unified diff, none where the texts are equal.

    Larger changes than `MOST_PAIRS` are told as one: all between the first and the last line that
    differ. That is a longer diff, and as right.

    Args:
        old: The text that lines are taken from.
        new: The text that they lead to.
        old_name: Stands in the first line.
        new_name: In the second.
    """
    if old == new:
        return
    before, after = old.split("\n"), new.split("\n")
    start = _equal_from_start(before, after)
    end = _equal_from_start(before[start:][::-1], after[start:][::-1])
    old_end, new_end = len(before) - end, len(after) - end
    if (old_end - start) * (new_end - start) <= MOST_PAIRS:
        yield from unified_diff(before, after, old_name, new_name, n=CONTEXT, lineterm="")
        return
    head = before[max(0, start - CONTEXT) : start]
    tail = before[old_end : old_end + CONTEXT]
    around = len(head) + len(tail)
    first = start - len(head) + 1
    yield from (f"--- {old_name}", f"+++ {new_name}")
    yield f"@@ -{first},{old_end - start + around} +{first},{new_end - start + around} @@"
    yield from (f" {line}" for line in head)
    yield from (f"-{line}" for line in before[start:old_end])
    yield from (f"+{line}" for line in after[start:new_end])
    yield from (f" {line}" for line in tail)


def _equal_from_start(some: list[str], others: list[str]) -> int:
    pairs = enumerate(zip(some, others, strict=False))
    differing = (place for place, (one, other) in pairs if one != other)
    return next(differing, min(len(some), len(others)))
