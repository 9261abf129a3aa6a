"""Do the lines of business have the shares they should have? Rows say theirs as `business_line`.

It invents no line: a row without one belongs to none and is told.
"""

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from adapters.data.findings import Check, Status, first, percent, show
from adapters.data.rows import Row
from adapters.data.steps import Result, drop, keep

KEY = "business_line"
TOLERANCE_POINTS = 10.0  # own choice: at 6:4, 70 % of one line fails and 65 % does not
Shares = Mapping[str, Annotated[float, Field(gt=0, allow_inf_nan=False)]]
"""Parts by name, in any unit: 6 and 4, or 0.6 and 0.4."""


def read_line(row: Row) -> str:
    """Return the line of business that a row says; empty where it says none."""
    value = row.meta.get(KEY)
    return value.strip() if isinstance(value, str) else ""


def count_lines(rows: Iterable[Row], target: Mapping[str, float]) -> dict[str, int]:
    """Return the rows of each line: those of the target in its order, then others by size."""
    said = Counter(map(read_line, rows))
    said.pop("", None)
    return {**{name: said[name] for name in target}, **dict(said.most_common())}


def check_business_lines(rows: Sequence[Row], target: Mapping[str, float]) -> Check:
    """Judge whether each line has its share of the rows, to within `TOLERANCE_POINTS`.

    Args:
        rows: At least one.
        target: The part that each line should have; at least one.

    Returns:
        The figure is what agrees with the target, 0 to 100 %: for each line the smaller of its
        share and its target, added up. Unknown while rows without a line could change the verdict.
    """
    wanted = _as_percent(target)
    counts = count_lines(rows, target)
    silent = [row for row in rows if not read_line(row)]
    said = len(rows) - len(silent)
    shares = {name: percent(count, said) for name, count in counts.items()}
    beyond = {
        name: share
        for name, share in shares.items()
        if abs(share - wanted.get(name, 0.0)) > TOLERANCE_POINTS
    }
    is_decided = 100 * len(silent) <= TOLERANCE_POINTS * len(rows)
    status: Status = "fail" if beyond and is_decided else "pass" if is_decided else "unknown"
    agreeing = sum(min(share, wanted.get(name, 0.0)) for name, share in shares.items())
    return Check(
        "business_lines",
        status,
        round(agreeing, 2) if said else None,
        "percent",
        f"each line within {TOLERANCE_POINTS:g} points of its share: {_list(wanted)}",
        missing=_missing(status, beyond, wanted, counts, silent=len(silent)),
        found=len(silent),
        evidence=first(show(row, "no business line") for row in silent),
        details={"rows": counts, "percent": shares, "target_percent": wanted},
    )


def _as_percent(target: Mapping[str, float]) -> dict[str, float]:
    whole = sum(target.values())
    return {name: percent(part, whole) for name, part in target.items()}


def _list(wanted: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {share:g} %" for name, share in wanted.items())


def _missing(
    status: Status,
    beyond: Mapping[str, float],
    wanted: Mapping[str, float],
    counts: Mapping[str, int],
    *,
    silent: int,
) -> str | None:
    if status == "pass":
        return None
    if status == "unknown":
        return f"{silent} rows name no business line; add it as `{KEY}`"
    fullest = max(wanted, key=lambda name: counts[name] / wanted[name])
    words = [
        f"{name} has {share:g} % instead of {wanted.get(name, 0.0):g} %"
        for name, share in beyond.items()
    ]
    more = {
        name: round(counts[fullest] * share / wanted[fullest]) - counts[name]
        for name, share in wanted.items()
    }
    words += [f"add {count} rows of {name}" for name, count in more.items() if count > 0]
    return "; ".join(words) + "; or leave rows out with the step `balance`"


class BalanceSettings(BaseModel):
    """Settings of `balance`.

    Attributes:
        shares: The part that each line should have, e.g. finance 6 and legal 4.
        seed: Of the choice of rows that are left out.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    shares: Annotated[Shares, Field(min_length=1)]
    seed: int = 0


class Balance:
    """Leaves out rows of the lines that have too many, until all have their share.

    Rows of lines that are not in the target stay. It keeps all rows in memory, as the shares are
    known only at the end.
    """

    name = "balance"

    def __init__(self, settings: BalanceSettings) -> None:
        self._settings = settings

    @property
    def settings(self) -> Mapping[str, object]:
        """The shares and the seed."""
        return self._settings.model_dump()

    def run(self, rows: Iterable[Row]) -> Iterator[Result]:
        """Yield one result for each row; those beyond their share are dropped (`over_share`)."""
        every = list(rows)
        out = self._choose(every)
        for place, row in enumerate(every):
            name = read_line(row)
            yield (
                drop(row, "over_share", f"{name} has more than its share")
                if place in out
                else keep(row)
            )

    def _choose(self, rows: Sequence[Row]) -> set[int]:
        """Return the places of the rows to leave out."""
        shares = self._settings.shares
        places: dict[str, list[int]] = {name: [] for name in shares}
        for place, row in enumerate(rows):
            if (name := read_line(row)) in places:
                places[name].append(place)
        # A line without any row cannot be brought to its share by leaving others out.
        whole = min((len(at) / shares[name] for name, at in places.items() if at), default=0.0)
        chance = random.Random(self._settings.seed)
        out: set[int] = set()
        for name, at in places.items():
            out.update(chance.sample(at, max(0, len(at) - round(whole * shares[name]))))
        return out
