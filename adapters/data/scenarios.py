"""Do the rows cover the scenarios of the use case, and evenly?

A row's scenario is what its metadata says; none is invented from its text.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence

from adapters.data.findings import Check, Status, first, is_at_least, percent, show
from adapters.data.rows import Row

NEEDED_PERCENT = 80.0  # seeds of the project: four fifths of the core scenarios
NEEDED_BITS = 3.2  # seeds of the project; takes ten scenarios, which can have log2(10) = 3.32
FULL_ENTROPY_SCENARIOS = 10
KEYS = ("scenario", "category", "intent")
MAX_NAMED = 5
MAX_SCENARIOS = 200


def read_scenario(row: Row) -> str | None:
    """Return the scenario a row says, or None."""
    for key in KEYS:
        value = row.meta.get(key)
        if isinstance(value, str) and value.strip():
            return value.strip()
    return None


def count_scenarios(rows: Sequence[Row], declared: Sequence[str] = ()) -> dict[str, int]:
    """Return the rows of each scenario: the declared ones in their order, then others by size.

    Names are compared without regard to case; at most `MAX_SCENARIOS` are returned.
    """
    said = Counter(name for row in rows if (name := read_scenario(row)) is not None)
    known = {name.casefold(): name for name in reversed(declared)}
    counts = dict.fromkeys(declared, 0)
    for name, count in said.most_common():
        own = known.get(name.casefold(), name)
        counts[own] = counts.get(own, 0) + count
    return dict(list(counts.items())[:MAX_SCENARIOS])


def check_scenarios(rows: Sequence[Row], declared: Sequence[str]) -> Check:
    """Judge coverage of the declared scenarios and the entropy of their rows.

    Without declared scenarios coverage is unknown; the evenness of those that occur is still
    judged. Rows that say no scenario count neither way until the others decide.
    """
    declared = tuple(dict.fromkeys(name.strip() for name in declared if name.strip()))
    silent = [row for row in rows if read_scenario(row) is None]
    counts = count_scenarios(rows, declared)
    judged = {name: counts[name] for name in declared} if declared else counts
    covered = sum(count > 0 for count in judged.values())
    coverage = percent(covered, len(declared)) if declared else None
    even = _judge_evenness(judged, len(silent))
    reach: Status = "unknown"
    if declared:
        most = percent(min(len(declared), covered + len(silent)), len(declared))
        reach = is_at_least(percent(covered, len(declared)), most, NEEDED_PERCENT)
    both = {reach, even}
    status: Status = "fail" if "fail" in both else "unknown" if "unknown" in both else "pass"
    others = len(rows) - len(silent) - sum(judged.values())
    return Check(
        "scenarios",
        status,
        coverage,
        "percent",
        f"rows for at least {NEEDED_PERCENT:g} % of the scenarios, with an entropy over "
        f"{_needed_bits(len(judged)):.3g} bits",
        missing=_missing(declared, judged, len(silent), len(rows), reach, even),
        found=len(silent),
        evidence=first(show(row, "no scenario") for row in silent),
        details={
            "declared": len(declared),
            "covered": covered if declared else None,
            "entropy_bits": round(entropy(judged), 3),
            "needed_bits": round(_needed_bits(len(judged)), 3),
            "rows_without_scenario": len(silent),
            "rows_of_undeclared_scenarios": others,
        },
    )


def entropy(counts: Mapping[str, float]) -> float:
    """Return the entropy in bits of how rows spread over scenarios; 0 without rows."""
    total = sum(counts.values())
    parts = [count / total for count in counts.values() if count]
    return -sum(part * math.log2(part) for part in parts) if parts else 0.0


def _needed_bits(scenarios: int) -> float:
    """Return what is needed of so many: below ten, the same share of the most there can be."""
    if scenarios >= FULL_ENTROPY_SCENARIOS:
        return NEEDED_BITS
    return NEEDED_BITS / math.log2(FULL_ENTROPY_SCENARIOS) * math.log2(max(1, scenarios))


def _judge_evenness(counts: Mapping[str, int], silent: int) -> Status:
    """Judge the entropy; rows without a scenario may all be of one, or fill the gaps."""
    if len(counts) < 2:
        return "pass" if counts else "unknown"  # one scenario is as even as it can be
    if not any(counts.values()):
        return "unknown"
    largest = max(counts, key=lambda name: counts[name])
    worst = entropy({**counts, largest: counts[largest] + silent})
    if worst > _needed_bits(len(counts)):
        return "pass"
    best = entropy(_fill(counts, silent))
    return "unknown" if best > _needed_bits(len(counts)) else "fail"


def _fill(counts: Mapping[str, int], more: int) -> dict[str, float]:
    """Return the counts after `more` rows went where there are fewest."""
    names = sorted(counts, key=lambda name: counts[name])
    for number in range(len(names), 0, -1):
        level = (more + sum(counts[name] for name in names[:number])) / number
        if level >= counts[names[number - 1]]:
            break
    return {name: max(float(count), level) for name, count in counts.items()}


def _rows_for_evenness(counts: Mapping[str, int]) -> dict[str, int]:
    """Return how many rows more of each scenario make the entropy large enough."""
    low, high = 0, max(counts.values())
    while low < high:  # the least level to which every scenario must be brought
        level = (low + high) // 2
        raised = {name: max(count, level) for name, count in counts.items()}
        low, high = (
            (low, level) if entropy(raised) > _needed_bits(len(counts)) else (level + 1, high)
        )
    return {name: high - count for name, count in counts.items() if count < high}


def _missing(
    declared: Sequence[str],
    counts: Mapping[str, int],
    silent: int,
    rows: int,
    reach: Status,
    even: Status,
) -> str | None:
    if reach == even == "pass":
        return None
    if not counts:
        return "no row names its scenario; add it as `scenario` and declare the list of scenarios"
    words = []
    if not declared:
        words.append("declare the list of scenarios: coverage is measured against it")
    elif reach != "pass":
        empty = [name for name, count in counts.items() if not count]
        least = math.ceil(len(declared) * NEEDED_PERCENT / 100) - (len(declared) - len(empty))
        words.append(f"add rows for {least} more scenarios of {_list(empty)}")
    if even == "fail":
        more = _rows_for_evenness(counts)
        largest = sorted(more, key=lambda name: -more[name])
        words.append(f"add {_list([f'{more[name]:,} more of {name}' for name in largest])}")
    if silent and "unknown" in (reach if declared else "pass", even):
        words.append(f"{silent} of {rows} rows name no scenario; add it as `scenario`")
    return "; ".join(words)


def _list(names: Sequence[str]) -> str:
    more = f" and {len(names) - MAX_NAMED} others" if len(names) > MAX_NAMED else ""
    return ", ".join(names[:MAX_NAMED]) + more
