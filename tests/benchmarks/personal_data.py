"""Personal data: what the patterns find of what people labelled, and what they find in plain text.

`python -m tests.benchmarks.personal_data [--data FOLDER] [--json]` reads `pii/*.jsonl` and prints
recall and precision of every kind by language. A find counts if it overlaps a label of its kind;
where a row names what was `labelled`, finds of other kinds count neither way. Then it counts finds
in texts without personal data. It does not measure names and addresses: patterns find none.
"""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from adapters.data.personal import KINDS, find_personal_data
from tests.benchmarks.corpora import DATA, Row, read_rows

LABELS = {
    "email": ("EMAIL_ADDRESS",),
    "ip_address": ("IP_ADDRESS",),
    "cn_resident_id": ("CN_ID_NUMBER",),
    "cn_credit_code": ("CN_CREDIT_CODE",),
    "iban": ("IBAN_CODE",),
    "bank_card": ("BANK_CARD", "CREDIT_CARD"),
    "cn_mobile": ("PHONE_NUMBER",),
    "cn_landline": ("PHONE_NUMBER",),
    "phone": ("PHONE_NUMBER",),
    "us_ssn": ("US_SSN",),
    "passport": ("PASSPORT",),
    "cn_plate": ("CN_LICENSE_PLATE",),
}
# The three kinds of telephone numbers have one label, so they are judged together.
JUDGED = {kind: "phone" if kind.startswith(("cn_mobile", "cn_land")) else kind for kind in KINDS}
PLAIN = ("rag_en/corpus.jsonl", "rag_zh/corpus.jsonl", "sft/facts_json_en.jsonl")


@dataclass(frozen=True)
class Score:
    """How one kind fared in one file."""

    file: str
    kind: str
    labelled: int
    recalled: int
    found: int
    right: int


def score(file: Path) -> Iterator[Score]:
    """Yield the score of every kind that is labelled or found in `file`."""
    labelled, recalled, found, right = (Counter[str]() for _ in range(4))
    for row in read_rows(file):
        finds = [(JUDGED[one.kind], one.start, one.end) for one in find_personal_data(row["text"])]
        spans = [(_kind(label), start, end) for start, end, label in row["spans"]]
        for kind, start, end in spans:
            if kind is not None:
                labelled[kind] += 1
                recalled[kind] += any(s < end and start < e for _, s, e in finds)
        judged = {_kind(label) for label in row.get("labelled", [])}
        for kind, start, end in finds:
            is_right = any(k == kind and s < end and start < e for k, s, e in spans)
            if is_right or not judged or kind in judged:
                found[kind] += 1
                right[kind] += is_right
    for kind in sorted({*labelled, *found}):
        yield Score(file.name, kind, labelled[kind], recalled[kind], found[kind], right[kind])


def _kind(label: str) -> str | None:
    return next((JUDGED[kind] for kind, labels in LABELS.items() if label in labels), None)


def count_plain(file: Path) -> dict[str, object]:
    """Return how much is found in texts that hold no personal data, and how fast."""
    texts = [_text(row) for row in read_rows(file)]
    began = time.process_time()
    finds = sum(len(find_personal_data(text)) for text in texts)
    seconds = time.process_time() - began
    chars = sum(map(len, texts))
    return {
        "file": f"{file.parent.name}/{file.name}",
        "texts": len(texts),
        "chars": chars,
        "finds": finds,
        "mchars_per_s": round(chars / seconds / 1e6, 2),
    }


def _text(row: Row) -> str:
    if "text" in row:
        return str(row["text"])
    return "\n".join(turn["content"] for turn in row["messages"])


def share(part: int, whole: int) -> str:
    """Return a share in words, a dash for none of none."""
    return f"{part / whole:.3f}" if whole else "-"


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the data sets")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    files = sorted((args.data / "pii").glob("*.jsonl"))
    scores = [one for file in files for one in score(file)]
    plain = [count_plain(args.data / name) for name in PLAIN if (args.data / name).exists()]
    if args.json:
        report = json.dumps({"scores": [asdict(one) for one in scores], "plain": plain}) + "\n"
    else:
        report = _table(scores, plain) if scores else f"no pii/*.jsonl in {args.data}\n"
    sys.stdout.write(report)


def _table(scores: list[Score], plain: list[dict[str, object]]) -> str:
    lines = [
        f"{one.file:<20} {one.kind:<15} recall {share(one.recalled, one.labelled)} of "
        f"{one.labelled:>4}   precision {share(one.right, one.found)} of {one.found:>4}\n"
        for one in scores
    ]
    lines += [
        f"{row['file']:<26} {row['texts']:>5} texts, {row['finds']} finds, "
        f"{row['mchars_per_s']} million characters/s\n"
        for row in plain
    ]
    return "".join(lines)


if __name__ == "__main__":
    main()
