"""Are the rows from the last year? Reads the date a row says in its metadata.

It invents no date: a row without one counts neither way until the others decide.
"""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from adapters.data.findings import Check, first, is_at_least, percent, show
from adapters.data.rows import Row

NEEDED_PERCENT = 80.0  # seeds of the project: four fifths of the rows from the last year
YEAR = timedelta(days=365)
KEYS = ("date", "created_at", "created", "timestamp", "time", "updated_at")

_WRITTEN = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})")
_ANYWHERE = re.compile(rf"(?<!\d){_WRITTEN.pattern}(?!\d)|(?<!\d)(\d{{4}})(\d\d)(\d\d)(?!\d)")
_PACKED = re.compile(r"(\d{4})(\d{2})(\d{2})")
_MILLISECONDS = 10**11  # a number above it cannot be seconds: they would lie in the year 5138


def read_date(row: Row) -> date | None:
    """Return the date a row says, or None where it says none that can be read."""
    for key in KEYS:
        value = row.meta.get(key)
        if value not in (None, ""):
            return _parse(value)
    return None


def find_date(text: str) -> date | None:
    """Return the first date in a text, with year, month and day; None where there is none."""
    for match in _ANYWHERE.finditer(text):
        if (found := _parse("-".join(filter(None, match.groups())))) is not None:
            return found
    return None


def check_recency(rows: Sequence[Row], today: date) -> Check:
    """Judge whether enough rows are at most a year old on the day `today`."""
    dates = [read_date(row) for row in rows]
    # A day of grace: the clock of another time zone may be ahead.
    dated = [d if d is not None and d <= today + timedelta(days=1) else None for d in dates]
    recent = sum(d is not None and d > today - YEAR for d in dated)
    undated = dated.count(None)
    low, high = percent(recent, len(rows)), percent(recent + undated, len(rows))
    status = is_at_least(low, high, NEEDED_PERCENT)
    reasons = [_fault(read, used, today) for read, used in zip(dates, dated, strict=True)]
    faults = [(row, why) for row, why in zip(rows, reasons, strict=True) if why]
    return Check(
        "recency",
        status,
        low if undated < len(rows) else None,
        "percent",
        f"at least {NEEDED_PERCENT:g} % of the rows from the year before {today.isoformat()}",
        missing=_missing(status, recent, undated, len(rows)),
        found=len(faults),
        evidence=first(show(row, why) for row, why in faults),
        details={"recent": recent, "older": len(rows) - recent - undated, "undated": undated},
    )


def _missing(status: str, recent: int, undated: int, rows: int) -> str | None:
    if status == "pass":
        return None
    if status == "unknown":
        return f"{undated} of {rows} rows have no date; add it as `date`, e.g. 2026-03-31"
    # recent + n of rows + n must reach the share
    more = -(-(rows * NEEDED_PERCENT - 100 * recent) // (100 - NEEDED_PERCENT))
    dates = f" (or dates for the {undated} without one)" if undated else ""
    return f"add {more:.0f} more rows from the last year{dates}, or fewer old ones"


def _fault(read: date | None, used: date | None, today: date) -> str:
    if read is None:
        return "no date"
    if used is None:
        return f"dated {read}, which is in the future"
    return f"dated {read}" if used <= today - YEAR else ""


def _parse(value: object) -> date | None:
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            if _PACKED.fullmatch(str(value)):
                value = str(value)
            else:
                seconds = value / 1000 if abs(value) > _MILLISECONDS else value
                return datetime.fromtimestamp(seconds, UTC).date()
        if isinstance(value, str):
            text = value.strip()
            found = _WRITTEN.match(text) or _PACKED.match(text)
            return None if found is None else date(*(int(part) for part in found.groups()))
    except (ValueError, OverflowError, OSError):  # a day or a year that there never was
        return None
    return None
