"""Patterns that people write, in a form that can neither hang nor fill the memory.

A search ends after a time limit, which Python's own `re` does not have; a pattern that would
become huge when it is compiled is refused. It knows no rows.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import regex

MAX_PATTERN_CHARS: Final = 2_000
# Counted repeats are written out when a pattern is compiled: (a{1000}){1000} took 275 MB, one
# more level took more than 3 GB.
MAX_WRITTEN_OUT: Final = 100_000
MAX_MATCHES: Final = 10_000  # in one text: more clauses than any contract has

_PARTS = re.compile(
    r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(|\)|\{(?P<least>\d*)(?:,(?P<most>\d*))?\}|.", re.DOTALL
)


class TooSlow(Exception):
    """A pattern took longer than its time limit on one text; never leaves this room."""


@dataclass(frozen=True, slots=True)
class Found:
    """One match.

    Attributes:
        start: First character, in code points.
        end: One past the last.
        groups: Texts of the named groups; a group that took no part is empty.
        match: All of it.
    """

    start: int
    end: int
    groups: dict[str, str]
    match: str


class Pattern:
    """A compiled pattern; `^` and `$` mean the ends of a line."""

    def __init__(
        self, pattern: str, *, ignore_case: bool = False, dot_matches_newline: bool = False
    ) -> None:
        """Compile it.

        Raises:
            ValueError: It is no pattern, too long, too large, or matches the empty text.
        """
        if len(pattern) > MAX_PATTERN_CHARS:
            raise ValueError(f"the pattern is longer than {MAX_PATTERN_CHARS} characters")
        if written_out(pattern) > MAX_WRITTEN_OUT:
            raise ValueError("its counted repeats, multiplied, are too many")
        flags = (
            regex.MULTILINE | regex.IGNORECASE * ignore_case | regex.DOTALL * dot_matches_newline
        )
        try:
            self._compiled = regex.compile(pattern, flags)
        except (regex.error, OverflowError, RecursionError, ValueError) as exc:
            raise ValueError(f"not a pattern: {exc}") from exc
        if self._compiled.match("") is not None:
            raise ValueError("the pattern matches the empty text")
        self.names = frozenset(self._compiled.groupindex)

    def find_all(self, text: str, *, timeout_s: float) -> list[Found]:
        """Return the matches in order, the first `MAX_MATCHES`.

        Raises:
            TooSlow: The search took longer than `timeout_s`.
        """
        try:
            return list(self._search(text, timeout_s))
        except (TimeoutError, MemoryError) as exc:
            raise TooSlow from exc

    def _search(self, text: str, timeout_s: float) -> Iterator[Found]:
        found = self._compiled.finditer(text, timeout=timeout_s)
        for match, _ in zip(found, range(MAX_MATCHES), strict=False):
            groups = {name: value or "" for name, value in match.groupdict().items()}
            yield Found(match.start(), match.end(), groups, match.group())


def written_out(pattern: str) -> int:
    """Return how many letters and classes a pattern has once counted repeats are written out."""
    open_groups, last = [0], 0
    for part in _PARTS.finditer(pattern):
        if part["least"] or part["most"]:
            count = max(int(part["least"] or 0), int(part["most"] or 0))
            open_groups[-1] += last * (count - 1)
            last *= count
        elif part[0] == "(":
            open_groups.append(0)
            last = 0
        elif part[0] == ")" and len(open_groups) > 1:
            last = open_groups.pop()
            open_groups[-1] += last
        else:
            last = 1
            open_groups[-1] += 1
    return sum(open_groups)
