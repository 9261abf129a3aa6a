"""Cleaning of training rows: near copies found, rows merged wrongly, rows a second.

`python -m tests.benchmarks.training_data.cleaning [--data FOLDER] [--long ROWS] [--json]` plants
edited copies among the rows of each file of `sft/`: up to 15 % of the letters of question and
answer (not of an answer in JSON, which would be another label) are replaced, left out, doubled or
exchanged, and words left out or doubled. It counts the copies that are found, and the other rows
that are dropped. Then it measures cleaning without an embedder on rows of 500 letters. Exits with 1
if fewer than 95 % of the copies are found, more than 1 % of the other rows dropped, or fewer than
5,000 rows cleaned in a second of two cores.
"""

import argparse
import json
import random
import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from adapters.data import load_rows
from adapters.data.cleaning import Deduplicate, Near, Noise, NoiseSettings, Normalise
from adapters.data.cleaning import NormaliseSettings as Spelling
from adapters.data.rows import Message, Row
from adapters.data.steps import Step
from tests.benchmarks.corpora import DATA

PLANTED_SHARE = 0.2
MAX_EDITS = 0.15
NEEDED_FOUND, NEEDED_FALSE, NEEDED_ROWS_PER_S = 0.95, 0.01, 5_000
CORES = 2
ROW_LETTERS = 500


@dataclass(frozen=True)
class Found:
    """How near copies in one file fared; `hardest` are those with 12 to 15 % of edits."""

    file: str
    rows: int
    planted: int
    found: int
    hardest: int
    hardest_found: int
    wrongly_dropped: int


def edit(text: str, share: float, rng: random.Random) -> str:
    """Return a text with about this share of its letters edited."""
    left = round(share * len(text))
    letters = sorted(set(text))
    while left > 0 and len(text) > 1:
        at = rng.randrange(len(text) - 1)
        kind = rng.randrange(6)
        words = text.split(" ")
        if kind == 0:
            text, cost = text[:at] + rng.choice(letters) + text[at + 1 :], 1
        elif kind == 1:
            text, cost = text[:at] + text[at + 1 :], 1
        elif kind == 2:
            text, cost = text[:at] + text[at] + text[at:], 1
        elif kind == 3 and left >= 2:
            text, cost = text[:at] + text[at + 1] + text[at] + text[at + 2 :], 2
        elif kind >= 4 and len(words) > 3:
            place = rng.randrange(len(words))
            cost = len(words[place]) + 1
            if cost > left:
                continue
            words[place : place + 1] = [] if kind == 4 else [words[place]] * 2
            text = " ".join(words)
        else:
            continue
        left -= cost
    return text


def copy_of(row: Row, share: float, rng: random.Random) -> Row:
    """Return an edited copy of a row."""
    turns = []
    for turn in row.messages:
        is_kept = turn.role == "system" or turn.content.startswith(("{", "["))
        turns.append(turn if is_kept else replace(turn, content=edit(turn.content, share, rng)))
    return replace(row, messages=tuple(turns), meta={**row.meta, "planted": share})


def plant(rows: Sequence[Row], rng: random.Random) -> list[Row]:
    """Return the rows with edited copies of some of them, each somewhere behind its original."""
    places = [(float(place), row) for place, row in enumerate(rows)]
    for place in rng.sample(range(len(rows)), int(PLANTED_SHARE * len(rows))):
        behind = rng.uniform(place, len(rows))
        places.append((behind, copy_of(rows[place], rng.uniform(0, MAX_EDITS), rng)))
    return [row for _, row in sorted(places, key=lambda one: one[0])]


def find_copies(file: Path) -> Found:
    """Count what is found of the copies planted in a file."""
    rows = [result.row for result in Deduplicate().run(load_rows([file])) if not result.is_dropped]
    results = list(Near().run(plant(rows, random.Random(18))))
    planted = [result for result in results if "planted" in result.row.meta]
    hardest = [result for result in planted if float(str(result.row.meta["planted"])) >= 0.12]
    others = [result for result in results if "planted" not in result.row.meta]
    return Found(
        file.name,
        len(rows),
        len(planted),
        sum(result.is_dropped for result in planted),
        len(hardest),
        sum(result.is_dropped for result in hardest),
        sum(result.is_dropped for result in others),
    )


def long_rows(texts: Sequence[str], count: int) -> Iterator[Row]:
    """Yield rows of 500 letters: sentences of the data in a random order."""
    rng = random.Random(0)
    for line in range(1, count + 1):
        said = ""
        while len(said) < ROW_LETTERS:
            said += rng.choice(texts)
        turns = (Message("user", said[:100]), Message("assistant", said[100:ROW_LETTERS]))
        yield Row(turns, {}, Path("rows.jsonl"), line)


def run_steps(steps: Sequence[Step], rows: Sequence[Row]) -> int:
    """Run the steps one after the other and return how many rows are left."""
    left: Iterator[Row] = iter(rows)
    for step in steps:
        left = (made for result in step.run(left) for made in result.rows)
    return sum(1 for _ in left)


STEPS: Sequence[Callable[[], Step]] = (
    lambda: Normalise(Spelling()),
    lambda: Noise(NoiseSettings()),
    Deduplicate,
    Near,
)


def measure(texts: Sequence[str], count: int) -> dict[str, float]:
    """Return the rows a second of a core, by step and of all."""
    rows = list(long_rows(texts, count))
    figures: dict[str, float] = {}
    for make in STEPS:
        step = make()
        began = time.process_time()
        run_steps([step], rows)
        figures[step.name] = round(count / (time.process_time() - began))
    began = time.process_time()
    run_steps([make() for make in STEPS], rows)
    figures["all"] = round(count / (time.process_time() - began))
    figures["peak_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    return figures


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the data sets")
    parser.add_argument("--long", type=int, default=5_000, help="rows to measure the speed on")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    files = sorted((args.data / "sft").glob("*.jsonl"))
    found = [find_copies(file) for file in files]
    rates = {}
    for language in ("zh", "en"):
        rows = load_rows([file for file in files if file.stem.endswith(language)])
        texts = [turn.content for row in rows for turn in row.messages if turn.role != "system"]
        rates[language] = measure([text for text in texts if text[0] not in "[{"], args.long)
    share_found = sum(one.found for one in found) / sum(one.planted for one in found)
    share_false = sum(one.wrongly_dropped for one in found) / sum(one.rows for one in found)
    report = {
        "found": round(share_found, 4),
        "wrongly_dropped": round(share_false, 4),
        "files": [vars(one) for one in found],
        "rows_per_s_of_a_core": rates,
    }
    indent = None if args.json else 2
    sys.stdout.write(json.dumps(report, indent=indent) + "\n")
    slowest = min(rate["all"] for rate in rates.values())
    reached = share_found >= NEEDED_FOUND and share_false <= NEEDED_FALSE
    sys.exit(0 if reached and CORES * slowest >= NEEDED_ROWS_PER_S else 1)


if __name__ == "__main__":
    main()
