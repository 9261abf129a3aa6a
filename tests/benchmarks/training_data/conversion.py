"""Conversion of training rows: rows a second for each kind of file, and memory over their number.

`python -m tests.benchmarks.training_data.conversion [--data FOLDER] [--rows N] [--long] [--json]`
writes rows of about 500 letters, their texts from `sft/service_style_zh.jsonl`, and converts them
from messages to Alpaca in a process of its own. It ends with 1 below 20,000 rows a second (of
processor time, one core) from JSON Lines to JSON Lines, or if four times the rows need a quarter
more memory. `--long` converts a gigabyte too.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.benchmarks.corpora import DATA, note, read_rows

MIN_ROWS_PER_S = 20_000
AIM_ROWS_PER_S = 50_000
MAX_GROWTH = 1.25  # of the highest memory, for four times the rows
LETTERS = 500
LONG_BYTES = 1024**3
TEXTS = "sft/service_style_zh.jsonl"
KINDS = ("jsonl", "json", "csv", "xlsx", "parquet")

_CONVERT = """
import json, resource, sys, time
from pathlib import Path
from adapters import RowFormat, convert_files
began, used = time.perf_counter(), time.process_time()
done = convert_files([Path(sys.argv[1])], Path(sys.argv[2]), RowFormat(sys.argv[3]))
used, took = time.process_time() - used, time.perf_counter() - began
memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
counts = {"rows": done.rows, "refused": done.refused}
print(json.dumps({**counts, "s": took, "cpu_s": used, "mib": memory}))
"""


def make_rows(texts: str) -> Iterator[str]:
    """Yield rows of `LETTERS` letters without end, one JSON text each."""
    at = number = 0
    while True:
        number += 1
        at = (at + 37) % (len(texts) - LETTERS)
        turns = [
            {"role": "user", "content": texts[at : at + LETTERS // 3]},
            {"role": "assistant", "content": texts[at + LETTERS // 3 : at + LETTERS]},
        ]
        row = {"id": f"r{number}", "source": f"s{number // 9}", "messages": turns}
        yield json.dumps(row, ensure_ascii=False) + "\n"


def write_rows(file: Path, texts: str, *, rows: int = 0, size: int = 0) -> None:
    """Write so many rows, or rows up to a size in bytes."""
    with file.open("wb") as stream:
        for number, row in enumerate(make_rows(texts)):
            if number == rows and not size or size and stream.tell() >= size:
                break
            stream.write(row.encode())


def convert(source: Path, out: Path, form: str = "alpaca") -> dict[str, float]:
    """Convert in a process of its own, so that its memory is that of the conversion."""
    done = subprocess.run(
        [sys.executable, "-c", _CONVERT, str(source), str(out), form],
        check=True,
        capture_output=True,
        text=True,
    )
    told: dict[str, float] = json.loads(done.stdout)
    return {**told, "rows_per_s": round(told["rows"] / told["cpu_s"])}


def measure(data: Path, folder: Path, *, rows: int, is_long: bool) -> dict[str, dict[str, float]]:
    """Return figures by what was read and written."""
    texts = "".join(turn["content"] for row in read_rows(data / TEXTS) for turn in row["messages"])
    small, large = folder / "small.jsonl", folder / "large.jsonl"
    write_rows(small, texts, rows=rows // 4)
    write_rows(large, texts, rows=rows)
    found = {"jsonl, a quarter": convert(small, folder / "out.jsonl")}
    found["jsonl"] = convert(large, folder / "out.jsonl")
    for kind in KINDS[1:]:
        note(f"{kind} …")
        found[f"to {kind}"] = convert(small, folder / f"table.{kind}")
        found[f"from {kind}"] = convert(folder / f"table.{kind}", folder / "out.jsonl", "messages")
    if is_long:
        write_rows(large, texts, size=LONG_BYTES)
        found["jsonl, 1 GiB"] = convert(large, folder / "out.jsonl")
    return found


def judge(found: dict[str, dict[str, float]]) -> list[str]:
    """Return what is missed, in words."""
    base, most = (
        found["jsonl, a quarter"]["mib"],
        max(one["mib"] for name, one in found.items() if name in ("jsonl", "jsonl, 1 GiB")),
    )
    missed = []
    if found["jsonl"]["rows_per_s"] < MIN_ROWS_PER_S:
        missed.append(f"{found['jsonl']['rows_per_s']} rows/s, {MIN_ROWS_PER_S} are needed")
    if most > MAX_GROWTH * base:
        missed.append(f"memory grows with the rows: {base} → {most} MiB")
    missed += [f"{name}: {one['refused']} refused" for name, one in found.items() if one["refused"]]
    return missed


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the data sets")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        found = measure(options.data, Path(folder), rows=options.rows, is_long=options.long)
    missed = judge(found)
    if options.json:
        report = json.dumps({"figures": found, "aim_rows_per_s": AIM_ROWS_PER_S, "missed": missed})
    else:
        lines = [
            f"{name:<18} {one['rows_per_s']:>8,} rows/s  {one['mib']:>6} MiB  "
            f"{one['rows']:>9,} rows  {one['s']:>7.1f} s"
            for name, one in found.items()
        ]
        report = "\n".join((*lines, *missed, f"{time.monotonic() - began:.0f} s"))
    sys.stdout.write(report + "\n")
    return bool(missed)


if __name__ == "__main__":
    sys.exit(main())
