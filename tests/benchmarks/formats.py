"""Real files of every format: does the reader find what a reader of them would see?

`python -m tests.benchmarks.formats [--data FOLDER] [--json]` reads the files that
`docs/expected.jsonl` lists, prints a row for each (outcome, seconds) and the number that behave as
listed. Exit code 1 when one does not, 0 where the data is absent.

Text is compared after NFKC with all white space taken out, on both sides.
"""

import argparse
import json
import sys
import time
import unicodedata
from dataclasses import asdict, dataclass
from pathlib import Path

from knowledge import EmptyDocument, KnowledgeError, PasswordRequired, UnsupportedFile, parse
from tests.benchmarks.corpora import DATA, Row, read_rows

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
    text = squeeze(parse(Path(row["file"]).name, content, password=password).text)
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


def main() -> int:
    """Run and print."""
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--data", type=Path, default=DATA, help="folder that holds docs/")
    options.add_argument("--json", action="store_true", help="one JSON document on stdout")
    given = options.parse_args()
    expected = given.data / "docs" / "expected.jsonl"
    if not expected.is_file():
        sys.stderr.write(f"{expected} is not there: nothing to compare\n")
        return 0
    outcomes = [check(row, expected.parent) for row in read_rows(expected)]
    passed = sum(outcome.passed for outcome in outcomes)
    if given.json:
        document = {"passed": passed, "files": len(outcomes), "rows": [asdict(o) for o in outcomes]}
        sys.stdout.write(json.dumps(document, ensure_ascii=False) + "\n")
    else:
        for outcome in outcomes:
            mark = "ok  " if outcome.passed else "FAIL"
            line = f"{mark} {outcome.file:32} {outcome.seconds:6.2f} s  {outcome.outcome}\n"
            sys.stdout.write(line)
        sys.stdout.write(f"{passed} of {len(outcomes)} files behave as listed\n")
    return 0 if passed == len(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
