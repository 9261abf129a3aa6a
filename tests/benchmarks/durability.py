"""What faults leave behind: `python -m tests.benchmarks.durability [--cycles N] [--json]`.

Four tables: a writing process killed N times while others search; N starts on a damaged, stale or
missing vector index; a base of which half is deleted and a third replaced; and, with
`--operations N`, a random walk against a plain model. Exit code 1 where anything was lost, half,
doubled or mixed, left over or missing, or not healed.
"""

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.benchmarks import damage, killing
from tests.knowledge import state_machine

COUNTED = ("operations", "reads", "lost", "half", "duplicate", "mixed", "orphans", "missing")


def main(argv: Sequence[str] | None = None) -> int:
    """Run all parts and print tables, or JSON."""
    options = _options(argv)
    seed = random.SystemRandom().randrange(2**31) if options.seed is None else options.seed
    sys.stderr.write(f"seed {seed}\n")
    figures: dict[str, Any] = {"seed": seed}
    faults = 0
    if options.cycles:
        with tempfile.TemporaryDirectory() as folder:
            began = time.monotonic()
            toll = killing.run(Path(folder), cycles=options.cycles, seed=seed)
        figures.update(asdict(toll), seconds=round(time.monotonic() - began, 1))
        faults += toll.faults
    if options.damage:
        with tempfile.TemporaryDirectory() as folder:
            starts = list(damage.damage(Path(folder), starts=options.damage, seed=seed))
        figures["damage"] = [asdict(start) for start in starts]
        faults += sum(not start.healed or start.embedded > 0 for start in starts)
    if options.churn:
        with tempfile.TemporaryDirectory() as folder:
            churned = damage.churn(Path(folder), seed=seed)
        figures["churn"] = asdict(churned)
        faults += churned.orphans + churned.missing + churned.not_found
    if options.operations:
        with tempfile.TemporaryDirectory() as folder:
            figures["model"] = {
                "operations": options.operations,
                "divergences": state_machine.walk(Path(folder), options.operations, seed),
            }
        faults += len(figures["model"]["divergences"])
    sys.stdout.write(json.dumps(figures) + "\n" if options.json else _tables(figures))
    return 1 if faults else 0


def _tables(figures: dict[str, Any]) -> str:
    lines: list[str] = []
    if "cycles" in figures:
        lines.append(f"{'kills':>10}" + "".join(f"{name:>11}" for name in COUNTED))
        row = "".join(f"{figures[name]:>11}" for name in COUNTED)
        lines += [f"{figures['cycles']:>10}{row}  ({figures['seconds']} s)", *figures["findings"]]
    if "damage" in figures:
        starts = figures["damage"]
        lines += ["", f"{'damage':<26}{'found by':<12}{'healed':<8}embedded again"]
        lines += [
            f"{s['way']:<26}{s['flagged_by'] or 'harmless':<12}{s['healed']!s:<8}{s['embedded']}"
            for s in starts
        ]
        lines.append(f"healed {sum(s['healed'] for s in starts)} of {len(starts)}")
    for name in ("churn", "model"):
        if name in figures:
            told = ", ".join(f"{key} {value}" for key, value in figures[name].items())
            lines += ["", f"{name}: {told}"]
    return "\n".join([*lines, f"seed {figures['seed']}", ""])


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.benchmarks.durability", description=__doc__)
    parser.add_argument("--cycles", type=int, default=20, help="kills of the writing process")
    parser.add_argument("--damage", type=int, default=20, help="starts on a damaged index")
    parser.add_argument("--churn", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--operations", type=int, default=0, help="steps of the random walk")
    parser.add_argument("--seed", type=int, default=None, help="default: another one each time")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
