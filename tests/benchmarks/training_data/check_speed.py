"""How long does a data check take? Rows of the public sets, repeated until there are enough.

`python -m tests.benchmarks.training_data.check_speed [--data FOLDER] [--rows N] [--model FOLDER]
[--json]` reads the rows from a file as a client would upload it, makes the five checks with the
embedder where there is one, looks for common faults and rates their readiness. Every row differs.
It ends with 1 where the processor time is over the budget: reading and checking take one core, so
an idle machine takes no longer, and a busy one is not judged by what runs beside it.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import cycle, islice
from pathlib import Path

from adapters import RowRequirements, parse_any_rows
from service.fine_tuning.data_checks import check_data
from tests.benchmarks.corpora import DATA, find_embedder, load_embedder, read_rows

BUDGET_S = 120.0  # of 50,000 rows on two cores
BUDGET_ROWS = 50_000
SCENARIOS = 12


@dataclass(frozen=True)
class Speed:
    """What one check took.

    Attributes:
        rows: How many were checked.
        bytes: Of the file.
        reading_s: Time to read it.
        checking_s: Time of the checks.
        processor_s: Processor time of both.
        verdict: Of the checks.
        budget_s: What they may take together.
    """

    rows: int
    bytes: int
    reading_s: float
    checking_s: float
    processor_s: float
    verdict: str
    budget_s: float


def make_file(data: Path, count: int) -> bytes:
    """Return `count` rows as JSON Lines, each with a scenario, a date and a line of business."""
    return b"".join(islice(_lines(data), count))


def _lines(data: Path) -> Iterator[bytes]:
    every = [row for file in sorted((data / "sft").glob("*.jsonl")) for row in read_rows(file)]
    for number, row in enumerate(cycle(every)):
        first, *others = row["messages"]
        told = {"role": first["role"], "content": f"{first['content']} ({number})"}
        own = {
            "messages": [told, *others],
            "scenario": f"scenario {number % SCENARIOS}",
            "date": f"2026-{1 + number % 11:02}-15",
            "business_line": "finance" if number % 10 < 6 else "legal",
        }
        yield json.dumps(own, ensure_ascii=False).encode() + b"\n"


def measure(content: bytes, wanted: RowRequirements, model: str | None) -> Speed:
    """Read and check the rows; loading the embedder does not count."""
    embedder = None if model is None else load_embedder(model, ("en", "zh"))
    began, processor = time.perf_counter(), time.process_time()
    rows = parse_any_rows(content, "rows.jsonl")
    read = time.perf_counter()
    found = check_data(rows, wanted, embedder)
    checked = time.perf_counter()
    return Speed(
        len(rows),
        len(content),
        round(read - began, 2),
        round(checked - read, 2),
        round(time.process_time() - processor, 2),
        found.verdict,
        BUDGET_S * len(rows) / BUDGET_ROWS,
    )


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the data sets")
    parser.add_argument("--rows", type=int, default=BUDGET_ROWS)
    parser.add_argument("--model", help="folder or id of the embedder; default: the prepared one")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    if not (args.data / "sft").is_dir():
        sys.stdout.write(f"no sft/ in {args.data}\n")
        return
    model = find_embedder(args.model)
    wanted = RowRequirements(
        domain="" if model is None else "customer service, restaurants and travel",
        scenarios=tuple(f"scenario {number}" for number in range(SCENARIOS)),
        business_lines={"finance": 6, "legal": 4},
    )
    speed = measure(make_file(args.data, args.rows), wanted, model)
    if args.json:
        sys.stdout.write(json.dumps(asdict(speed)) + "\n")
    else:
        sys.stdout.write(
            f"{speed.rows:,} rows, {speed.bytes / 1e6:.1f} MB: read in {speed.reading_s} s, "
            f"checked in {speed.checking_s} s; {speed.processor_s} s of processor time "
            f"(budget {speed.budget_s:g})\n"
        )
    sys.exit(speed.processor_s > speed.budget_s)


if __name__ == "__main__":
    main()
