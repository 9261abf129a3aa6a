"""Names of places in a sheet: references read, and written in few words.

It knows `A2:C9`; it does not know what stands there.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

from knowledge.parsing.sheets.tables import Area

MAX_COLUMNS, MAX_ROWS = 16_384, 1_048_576  # Excel's own
TOLD_PLACES = 8  # cells or rows that are named; more are counted
_AREA = re.compile(r"\$?([A-Z]{1,3})\$?(\d{1,7})(?::\$?([A-Z]{1,3})\$?(\d{1,7}))?")


@lru_cache(maxsize=MAX_COLUMNS)
def column_of(letters: str) -> int:
    """Return the place of a column by its letters, from 0."""
    place = 0
    for letter in letters:
        place = place * 26 + ord(letter) - ord("A") + 1
    return min(place, MAX_COLUMNS) - 1


def column(reference: str, following: int) -> int:
    """Return the place of a cell in its row, from 0; `following`: where it does not say."""
    letters = reference.rstrip("0123456789")
    return column_of(letters) if letters.isascii() and letters.isupper() else following


def areas(reference: str) -> list[Area]:
    """Return the areas a reference names, `A2:C9`."""
    found = _AREA.fullmatch(reference)
    if found is None:
        return []
    left, top = column_of(found[1]), int(found[2])
    right = column_of(found[3]) if found[3] else left
    bottom = min(int(found[4]), MAX_ROWS) if found[4] else top
    return [Area(top, left, bottom, right)]


def letters_of(place: int) -> str:
    """Return the name of a column, `A` for 0."""
    high, low = divmod(place, 26)
    return (letters_of(high - 1) if high else "") + chr(ord("A") + low)


def ranges(names: Iterable[tuple[int, str]]) -> str:
    """Return numbered names in order as ranges: `3-5, 9`."""
    runs: list[list[str]] = []
    before = -1
    for number, name in names:
        if number == before + 1 and runs:
            runs[-1][1:] = [name]
        else:
            runs.append([name])
        before = number
    return some(["-".join(run) for run in runs])


def some(places: list[str]) -> str:
    """Return the first of these places, and how many more there are."""
    more = len(places) - TOLD_PLACES
    return ", ".join(places[:TOLD_PLACES]) + (f" and {more} more" if more > 0 else "")
