"""Scans of public passages: how many letters are wrong, and are the passages still found?

`python -m tests.benchmarks.recognition [--data FOLDER] [--limit PAGES] [--json]` prints passages of
rag_zh and rag_en on pages (two fonts each, one and two columns, 150 dpi, 1 degree askew, grey
noise), reads each as a PDF that is one picture, and prints the share of wrong letters (edits that
make the text read into the text printed, white space apart), the median seconds a page, and hit@5
of the passages' own questions, of the pages read and of the same pages as text, among other
passages. Then it counts pages without any text, empty scans and photo-like pictures, in which text
was found. Exit code 1 when a budget is missed, 0 where the data or a font is absent.
"""

import argparse
import json
import resource
import sys
import time
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import cycle
from pathlib import Path
from statistics import median

import numpy as np

from knowledge import (
    KnowledgeConfig,
    KnowledgeError,
    NewDocument,
    ParsedText,
    SentenceTransformerEmbedder,
    hit,
    parse,
)
from tests.benchmarks.corpora import DATA, Row, find_embedder, opened, read_rows
from tests.fakes import pictures
from tests.fakes.pictures import Print
from tests.fakes.tenant import TENANT

PAGES = 30
EMPTY = 30
CUTOFF = 5
OTHERS = 400  # passages that nobody printed, among which the pages are to be found
MOST_WRONG = {"zh": 0.03, "en": 0.02}
LEAST_HITS = 0.95  # of the hits of the same pages as text
A4 = (1_240, 1_754)  # at 150 dpi
LOOKS: dict[str, tuple[tuple[str, int], ...]] = {
    "zh": (("NotoSansCJK-Regular.ttc", 2), ("wqy-zenhei.ttc", 0)),
    "en": (("LiberationSerif-Regular.ttf", 0), ("DejaVuSans.ttf", 0)),
}
"""Fonts by language; Debian: fonts-noto-cjk, fonts-wqy-zenhei, fonts-liberation, fonts-dejavu."""


@dataclass(frozen=True)
class Printed:
    """A page: which passages stand on it, its text, and the scan."""

    ids: tuple[str, ...]
    text: str
    scan: bytes


@dataclass(frozen=True)
class Read:
    """How well the pages of one language were read."""

    language: str
    pages: int
    wrong: float
    seconds: float
    slowest: float
    processor: float
    hits: float
    hits_of_text: float
    questions: int


@dataclass(frozen=True)
class Corpus:
    """Passages of one language, the questions about them, and what they are embedded with."""

    language: str
    rows: Sequence[Row]
    questions: Sequence[Row]
    embedder: str

    def asked(self, pages: Sequence[Printed]) -> list[Row]:
        """Return the questions that these pages answer."""
        ids = {one for page in pages for one in page.ids}
        return [row for row in self.questions if ids.issuperset(row["gold_ids"])]


def printed(rows: Sequence[Row], language: str, count: int) -> Iterator[Printed]:
    """Yield pages full of whole passages."""
    left = iter(rows)
    looks = cycle((font, face, columns) for font, face in LOOKS[language] for columns in (1, 2))
    for _, (font, face, count_columns) in zip(range(count), looks, strict=False):
        how = Print(font, face, 10.5, A4, lean=1, grain=8)
        room = how.lines * count_columns
        ids: list[str] = []
        lines: list[str] = []
        for row in left:
            more = list(pictures.wrapped(" ".join(row["text"].split()), how, count_columns))
            if len(lines) + len(more) > room:
                break
            ids.append(row["id"])
            lines += more
        texts = [lines[start : start + how.lines] for start in range(0, len(lines), how.lines)]
        texts += [[]] * (count_columns - len(texts))
        scan = pictures.scanned_pdf(pictures.columns(texts, how))
        yield Printed(tuple(ids), "\n".join(lines), scan)


def squeeze(text: str) -> str:
    """Return the text as it is compared."""
    return "".join(unicodedata.normalize("NFKC", text).split())


def edits(read: str, wanted: str) -> int:
    """Return how many letters must be put in, taken out or changed (Levenshtein)."""
    letters = np.array([ord(letter) for letter in read])
    steps = np.arange(len(read) + 1)
    row = steps.copy()
    for number, letter in enumerate(wanted, 1):
        best = np.minimum(row[1:] + 1, row[:-1] + (letters != ord(letter)))
        row = np.minimum.accumulate(np.concatenate([[number], best]) - steps) + steps
    return int(row[-1])


def measure(pages: Sequence[Printed], corpus: Corpus) -> Read:
    """Read the pages of one language."""
    parsed: list[ParsedText] = []
    seconds: list[float] = []
    processor: list[float] = []
    wrong = letters = 0
    for number, page in enumerate(pages, 1):
        begin, computed = time.perf_counter(), processor_seconds()
        parsed.append(parse("scan.pdf", page.scan))
        seconds.append(time.perf_counter() - begin)
        processor.append(processor_seconds() - computed)
        wanted = squeeze(page.text)
        missed = edits(squeeze(parsed[-1].text), wanted)
        wrong, letters = wrong + missed, letters + len(wanted)
        sys.stderr.write(
            f"{corpus.language} {number}: {missed} of {len(wanted)}, {seconds[-1]:.1f} s\n"
        )
    as_text = [ParsedText(page.text, "pdf", "binary") for page in pages]
    return Read(
        language=corpus.language,
        pages=len(pages),
        wrong=wrong / letters,
        seconds=median(seconds),
        slowest=max(seconds),
        processor=median(processor),
        hits=hit_rate(pages, parsed, corpus),
        hits_of_text=hit_rate(pages, as_text, corpus),
        questions=len(corpus.asked(pages)),
    )


def processor_seconds() -> float:
    """Return what all children took so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def hit_rate(pages: Sequence[Printed], texts: Sequence[ParsedText], corpus: Corpus) -> float:
    """Return hit@5: the page that holds the answer is among the documents of five passages."""
    embedder = SentenceTransformerEmbedder.load(corpus.embedder, languages=("en",))
    where = {one: f"page-{number}" for number, page in enumerate(pages) for one in page.ids}
    sources = [
        NewDocument(f"page-{number}", "scan.pdf", page.scan, parsed=text)
        for number, (page, text) in enumerate(zip(pages, texts, strict=True))
    ]
    others = [row for row in corpus.rows if row["id"] not in where][:OTHERS]
    sources += [NewDocument(row["id"], "a.txt", row["text"].encode()) for row in others]
    asked, hits = corpus.asked(pages), 0.0
    with opened(embedder, KnowledgeConfig()) as knowledge:
        knowledge.create_base("scans", base_id="scans", tenant=TENANT)
        knowledge.ingest_many("scans", sources, tenant=TENANT)
        for row in asked:
            found = knowledge.retrieve(
                row["question"], base_ids=["scans"], tenant=TENANT, top_k=CUTOFF
            )
            gold = {where[one] for one in row["gold_ids"]}
            hits += hit([one.external_id for one in found.passages], gold, cutoff=CUTOFF)
    return hits / len(asked)


def with_text_found(count: int) -> int:
    """Return in how many pictures without text some was found."""
    found = 0
    for seed in range(count):
        try:
            parse("photo.png", pictures.saved(pictures.without_text(seed), "PNG"))
            found += 1
        except KnowledgeError:
            pass
    return found


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--limit", type=int, default=PAGES, help="Pages, half in each language.")
    parser.add_argument("--empty", type=int, default=EMPTY, help="Pictures without text.")
    parser.add_argument("--embedder", help="Folder of the embedder.")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    embedder = find_embedder(given.embedder)
    if embedder is None or not (given.data / "rag_zh").is_dir():
        sys.stdout.write("skipped: no data or no embedder\n")
        return 0
    results = []
    for language in LOOKS:
        folder = given.data / f"rag_{language}"
        rows, questions = (read_rows(folder / f"{name}.jsonl") for name in ("corpus", "queries"))
        asked_about = {one for row in questions for one in row["gold_ids"]}
        rows.sort(key=lambda row: row["id"] not in asked_about)
        pages = list(printed(rows, language, max(1, given.limit // len(LOOKS))))
        results.append(measure(pages, Corpus(language, rows, questions, embedder)))
    found = with_text_found(given.empty)
    if given.json:
        figures = {"read": list(map(asdict, results)), "empty": given.empty, "found": found}
        sys.stdout.write(json.dumps(figures) + "\n")
    for one in results:
        sys.stdout.write(
            f"{one.language}: {one.pages} pages, {one.wrong:.2%} of the letters wrong; "
            f"{one.seconds:.1f} s a page (median; slowest {one.slowest:.1f}; "
            f"{one.processor:.1f} of them computing); "
            f"hit@5 {one.hits:.3f}, as text {one.hits_of_text:.3f} ({one.questions} questions)\n"
        )
    sys.stdout.write(f"text found in {found} of {given.empty} pictures without text\n")
    is_right = all(
        one.wrong <= MOST_WRONG[one.language] and one.hits >= LEAST_HITS * one.hits_of_text
        for one in results
    )
    return 0 if is_right and not found else 1


if __name__ == "__main__":
    sys.exit(main())
