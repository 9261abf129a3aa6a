"""When is "nothing relevant" said? `python -m tests.benchmarks.relevance [--data FOLDER] [--json]`.

Three kinds of question that a collection cannot answer, each beside the share of answerable ones
that the same floor flags by mistake:

- *foreign*: questions of another corpus;
- *withheld*: its own questions, of a reader who may not see the passages that hold the answer (a
  label covers a twenty-fifth of the documents, so some others are withheld with them);
- *RGB*: the noise and counterfactual questions of RGB (Chen et al. 2023), asked of a base of all
  right and wrong documents, and of a base of the wrong ones alone.

Each is shown for the shipped floor and for the floor that flags a tenth of the answerable ones.
Exit code 1 where the shipped floor flags more than 5 % of answerable or fewer than 95 % of foreign
questions; 0 where data or embedder are absent.
"""

import argparse
import json
import sys
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from knowledge import Knowledge, KnowledgeConfig, Retrieval
from tests.benchmarks.corpora import (
    DATA,
    Row,
    asker,
    find_embedder,
    load_embedder,
    note,
    opened,
    read_rows,
    take_in,
)

MOST_ANSWERABLE, LEAST_FOREIGN = (
    0.05,
    0.95,
)  # shares flagged, per corpus: `knowledge.MOST_FLAGGED`, and its counterpart
A_TENTH = 0.10
FOREIGN = {
    "rag_en": "support_en",
    "rag_en_multihop": "support_en",
    "support_en": "rag_en",
    "rag_zh": "rag_en",
}
LABELS = frozenset(f"part-{number}" for number in range(25))
RGB_KINDS = ("noise", "counterfactual")


@dataclass(frozen=True)
class Flags:
    """Shares flagged as not answerable.

    Attributes:
        answerable: Of the answerable questions, by the shipped floor.
        shipped: Of the others, by the shipped floor.
        at_a_tenth: Of the others, by the floor under which a tenth of the answerable ones lie.
    """

    corpus: str
    kind: str
    questions: int
    answerable: float
    shipped: float
    at_a_tenth: float

    @property
    def is_missed(self) -> bool:
        """Whether a floor of the exit code is missed."""
        misses = self.answerable > MOST_ANSWERABLE or self.shipped < LEAST_FOREIGN
        return self.kind.startswith("foreign") and misses


def main(argv: Sequence[str] | None = None) -> int:
    """Ask everything and print a table, or JSON."""
    options = _options(argv)
    embedder_at = find_embedder(options.embedder)
    if embedder_at is None or not (options.data / "rag_en").is_dir():
        sys.stdout.write(
            json.dumps({"skipped": f"no embedder, or nothing in {options.data}"}) + "\n"
        )
        return 0
    embedder = load_embedder(embedder_at, options.languages)
    found: list[Flags] = []
    with opened(embedder, KnowledgeConfig()) as knowledge:
        for name, other in FOREIGN.items():
            found += _ask_corpus(knowledge, options.data, name, other, options.limit)
        found += _ask_rgb(knowledge, options.data / "rag_robust" / "rgb.jsonl")
    if options.json:
        sys.stdout.write(json.dumps({"sets": [asdict(flags) for flags in found]}) + "\n")
    else:
        sys.stdout.write(_table(found))
    return 1 if any(flags.is_missed for flags in found) else 0


def _ask_corpus(
    knowledge: Knowledge, data: Path, name: str, other: str, limit: int | None
) -> list[Flags]:
    take_in(knowledge, name, read_rows(data / name / "corpus.jsonl"), label=_label)
    rows = read_rows(data / name / "queries.jsonl")[:limit]
    foreign = read_rows(data / other / "queries.jsonl")  # with their turns before, as kb eval asks
    ask = asker(knowledge, name, access=LABELS)
    known = [_best(ask(row)) for row in rows]
    withheld = [_best(asker(knowledge, name, access=_labels_without(row))(row)) for row in rows]
    strange = [_best(ask(row)) for row in foreign[:limit]]
    return [
        _flags(name, f"foreign: {other}", known, strange),
        _flags(name, "withheld", known, withheld),
    ]


def _ask_rgb(knowledge: Knowledge, file: Path) -> list[Flags]:
    if not file.is_file():
        return []
    rows = [row for row in read_rows(file) if row["kind"] in RGB_KINDS and row["negative"]]
    found: list[Flags] = []
    for language in sorted({row["lang"] for row in rows}):
        asked = [row for row in rows if row["lang"] == language]
        wrong = {
            text: f"wrong-{n}" for n, text in enumerate(t for r in asked for t in r["negative"])
        }
        right = {
            text: f"right-{n}" for n, text in enumerate(t for r in asked for t in r["positive"])
        }
        for base, texts in ((f"rgb-{language}", right | wrong), (f"rgb-{language}-wrong", wrong)):
            rows_in = [{"id": name, "title": "", "text": text} for text, name in texts.items()]
            take_in(knowledge, base, rows_in)
        known = [_best(asker(knowledge, f"rgb-{language}")(row)) for row in asked]
        without = [_best(asker(knowledge, f"rgb-{language}-wrong")(row)) for row in asked]
        found.append(_flags(f"RGB {language}", "right documents absent", known, without))
    return found


def _label(document: str) -> str:
    return f"part-{zlib.crc32(document.encode()) % len(LABELS)}"


def _labels_without(row: Row) -> frozenset[str]:
    """Return the labels of a reader who sees no document that answers the row's question."""
    return LABELS - {_label(name) for name in (*row["gold_ids"], *row.get("also_ids", ()))}


def _best(answer: Retrieval) -> float:
    return answer.best_relevance or 0.0


def _flags(corpus: str, kind: str, known: Sequence[float], others: Sequence[float]) -> Flags:
    floor = KnowledgeConfig().min_relevance
    tenth = float(np.quantile(known, A_TENTH))
    note(f"{corpus}, {kind}: done")
    return Flags(
        corpus,
        kind,
        len(others),
        float(np.mean(np.asarray(known) < floor)),
        float(np.mean(np.asarray(others) < floor)),
        float(np.mean(np.asarray(others) < tenth)),
    )


def _table(found: Sequence[Flags]) -> str:
    head = f"{'collection':<17}{'cannot be answered':<26}{'n':>6}"
    lines = [head + f"{'answerable':>12}{'flagged':>10}{'at 10 %':>10}"]
    lines += [
        f"{f.corpus:<17}{f.kind:<26}{f.questions:>6}"
        f"{f.answerable:>12.3f}{f.shipped:>10.3f}{f.at_a_tenth:>10.3f}{' <' if f.is_missed else ''}"
        for f in found
    ]
    return "\n".join(lines) + "\n"


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.benchmarks.relevance", description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--embedder", help="folder or Hugging Face id; default: the prepared one")
    parser.add_argument("--languages", nargs="+", help="what it reads; default: its model.json's")
    parser.add_argument("--limit", type=int, default=None, help="questions per set")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
