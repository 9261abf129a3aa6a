"""Real files of every format: does the reader find what a reader of them would see?

`python -m tests.benchmarks.formats [--data FOLDER] [--json]` reads the files that
`docs/expected.jsonl` lists, prints a row for each (outcome, seconds) and the number that behave as
listed; then how fast each format is read, the real files and a large one that is made here. With
`--against CHECKOUT` that checkout's reader is timed in turns with ours, and a format is slow below
0.7 of its speed. Exit code 1 when a file behaves otherwise or a format is slow, 0 where the data is
absent.

Text is compared after NFKC with all white space taken out, on both sides. A file that holds no text
but by recognition is read without (`recognition` measures that).
"""

import argparse
import json
import sys
import tempfile
import time
import unicodedata
from dataclasses import asdict, dataclass
from pathlib import Path

from knowledge import EmptyDocument, KnowledgeError, Ocr, PasswordRequired, UnsupportedFile, parse
from tests.benchmarks.corpora import DATA, Row, read_rows
from tests.benchmarks.parse_speed import Speed, measure, speed_table

ALLOWED: dict[str, tuple[type[KnowledgeError], ...]] = {
    "text": (),
    "password": (PasswordRequired,),
    "no_text": (EmptyDocument,),
    "error": (KnowledgeError,),
    "no_text_or_error": (KnowledgeError,),
    "text_or_unsupported": (UnsupportedFile,),
}
NEEDS_ERROR = {"password", "no_text", "error", "no_text_or_error"}


@dataclass(frozen=True)
class Outcome:
    """What became of one file."""

    file: str
    passed: bool
    outcome: str
    seconds: float


def squeeze(text: str) -> str:
    """Return the text as it is compared."""
    return "".join(unicodedata.normalize("NFKC", text).split())


def check_text(row: Row, content: bytes, password: str | None) -> str:
    """Return what is wrong with the text of a file, or nothing."""
    ocr: Ocr = "never" if row["expect"] == "no_text" else "auto"
    parsed = parse(Path(row["file"]).name, content, password=password, ocr=ocr)
    text = squeeze(parsed.text)
    missing = [words for words in row["must_contain"] if squeeze(words) not in text]
    unwanted = [words for words in row.get("must_not_contain", ()) if squeeze(words) in text]
    return "; ".join([*(f"lacks {w!r}" for w in missing), *(f"holds {w!r}" for w in unwanted)])


def check(row: Row, folder: Path) -> Outcome:
    """Read one file and compare."""
    content = (folder / row["file"]).read_bytes()
    began = time.perf_counter()
    try:
        wrong = check_text(row, content, None)
        passed, outcome = not wrong and row["expect"] not in NEEDS_ERROR, wrong or "text"
    except KnowledgeError as exc:
        passed, outcome = isinstance(exc, ALLOWED[row["expect"]]), exc.code
    seconds = time.perf_counter() - began
    if passed and row["expect"] == "password":
        try:
            wrong = check_text(row, content, row["password"])
        except KnowledgeError as exc:
            wrong = exc.code
        passed, outcome = not wrong, f"{outcome}, then {wrong or 'text'}"
    return Outcome(row["file"], passed, outcome, round(seconds, 3))


def time_reading(rows: list[Row], given: argparse.Namespace) -> list[Speed]:
    """Return how fast each format is read."""
    folder = given.data / "docs"
    with tempfile.TemporaryDirectory() as scratch:
        return measure(
            [folder / row["file"] for row in rows],
            Path(scratch),
            against=given.against,
            repetitions=given.repeat,
        )


def main() -> int:
    """Run and print."""
    given = _options()
    expected = given.data / "docs" / "expected.jsonl"
    if not expected.is_file():
        sys.stderr.write(f"{expected} is not there: nothing to compare\n")
        return 0
    rows = read_rows(expected)
    outcomes = [check(row, expected.parent) for row in rows]
    passed = sum(outcome.passed for outcome in outcomes)
    speeds = time_reading(rows, given) if given.repeat else []
    if given.json:
        document = {
            "passed": passed,
            "files": len(outcomes),
            "rows": [asdict(o) for o in outcomes],
            "speeds": [asdict(speed) for speed in speeds],
        }
        sys.stdout.write(json.dumps(document, ensure_ascii=False) + "\n")
    else:
        for outcome in outcomes:
            mark = "ok  " if outcome.passed else "FAIL"
            line = f"{mark} {outcome.file:32} {outcome.seconds:6.2f} s  {outcome.outcome}\n"
            sys.stdout.write(line)
        sys.stdout.write(f"{passed} of {len(outcomes)} files behave as listed\n")
        sys.stdout.write(speed_table(speeds) if speeds else "")
    return 0 if passed == len(outcomes) and not any(one.is_slow for one in speeds) else 1


def _options() -> argparse.Namespace:
    options = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    options.add_argument("--data", type=Path, default=DATA, help="folder that holds docs/")
    options.add_argument("--against", type=Path, help="checkout whose reader is timed beside ours")
    options.add_argument("--repeat", type=int, default=5, help="timings of each file; 0: none")
    options.add_argument("--json", action="store_true", help="one JSON document on stdout")
    return options.parse_args()


if __name__ == "__main__":
    sys.exit(main())
