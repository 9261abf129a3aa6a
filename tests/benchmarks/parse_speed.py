"""How fast files of each format are read, here and in another checkout of this project.

It makes one large file of each format beside the real ones, and times `knowledge.parse`, the start
of its child process included, in a process that imports from the checkout that is timed. Two
checkouts are timed in turns, file by file, so that a slow spell of the machine hits both. It does
not know whether what is read is right (`formats` does).
"""

import json
import os
import random
import statistics
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from knowledge.parsing import FORMATS
from service.settings import CHECKOUT
from tests.fakes import files, grids
from tests.fakes.grids import Grid, Page, Placed

LARGE_STEM = "large"
LARGE_CHARS = 2_000_000
LARGE_ROWS = 20_000  # of a sheet or of CSV; a table in a text has a tenth
PDF_PAGES, PDF_LINES = 50, 55
LEAST_RATIO = 0.7  # of the speed before: what a reader that keeps more of a document may cost
WORDS_EN = (
    "the pump valve is of and a motor load opens closes before after each month shift lead checks "
    "noise pressure belt door lamp first second oil filter change every report under 12 350 7.5"
).split()
# What takes less than 0.1 s is read again and again for as long.
TIMER = """
import inspect, json, resource, sys, time
from pathlib import Path
import knowledge
def spent():
    uses = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(use.ru_utime + use.ru_stime for use in uses)
print(json.dumps(knowledge.__file__), flush=True)
# recognising text is other work than reading it, and an earlier checkout does none
options = {"ocr": "never"} if "ocr" in inspect.signature(knowledge.parse).parameters else {}
for line in sys.stdin:
    path = Path(json.loads(line))
    content = path.read_bytes()
    began, before, refused, times = time.perf_counter(), spent(), "", 0
    while not times or time.perf_counter() - began < 0.1:
        times += 1
        try:
            knowledge.parse(path.name, content, **options)
        except knowledge.KnowledgeError as exc:
            refused = str(exc)
    clock, processor = time.perf_counter() - began, spent() - before
    print(json.dumps([clock / times, processor / times, refused]), flush=True)
"""


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast the files of a format are read; medians of several repetitions.

    Attributes:
        seconds: All of them once, by the clock.
        processor_s: The same, of the processor, the child's included.
        ratio: The other checkout's processor seconds by ours: below 1, ours is slower.
        clock_ratio: The same by the clock.
    """

    file_format: str
    files: str
    count: int
    megabytes: float
    seconds: float
    processor_s: float
    ratio: float | None
    clock_ratio: float | None

    @property
    def is_slow(self) -> bool:
        """Whether it is slower than it may have become."""
        return self.ratio is not None and self.ratio < LEAST_RATIO


def measure(
    real: Sequence[Path], scratch: Path, *, against: Path | None, repetitions: int
) -> list[Speed]:
    """Return the speed of the real files of each format and of one large file of each."""
    groups: dict[tuple[str, str], list[Path]] = defaultdict(list)
    for path in real:
        if file_format := FORMATS.get(path.suffix.lower()):
            groups[file_format, "real"].append(path)
    for file_format, path in write_large(scratch):
        groups[file_format, "large"] = [path]
    with ExitStack() as stack:
        checkouts = [CHECKOUT] if against is None else [CHECKOUT, against]
        timers = [stack.enter_context(timer(checkout)) for checkout in checkouts]
        return [
            speed_of(names, paths, timers, repetitions) for names, paths in sorted(groups.items())
        ]


@contextmanager
def timer(checkout: Path) -> Iterator[Callable[[Path], tuple[float, float]]]:
    """Yield what times the reading of a file in a checkout: clock and processor seconds.

    Raises:
        ValueError: The folder holds no `knowledge`.
    """
    checkout = checkout.resolve()
    with subprocess.Popen(
        [sys.executable, "-c", TIMER],
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": str(checkout)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        read_from = json.loads(process.stdout.readline() or '""')
        if not Path(read_from).is_relative_to(checkout):
            raise ValueError(f"{checkout} is no checkout of this project: nothing to time there")

        orders, answers = process.stdin, process.stdout

        def time_one(path: Path) -> tuple[float, float]:
            print(json.dumps(str(path.resolve())), file=orders, flush=True)
            clock, processor, refused = json.loads(answers.readline())
            if refused and path.stem == LARGE_STEM:
                raise ValueError(f"{checkout} refuses a file that is made here: {refused}")
            return clock, processor

        yield time_one
        process.stdin.close()


def speed_of(
    names: tuple[str, str],
    paths: Sequence[Path],
    timers: Sequence[Callable[[Path], tuple[float, float]]],
    repetitions: int,
) -> Speed:
    """Return the medians; who is timed first changes with each repetition."""
    clocks: list[list[float]] = [[] for _ in timers]
    processors: list[list[float]] = [[] for _ in timers]
    for repetition in range(repetitions):
        sums = [[0.0, 0.0] for _ in timers]
        for path in paths:
            order = range(len(timers)) if repetition % 2 else reversed(range(len(timers)))
            for number in order:
                spent = timers[number](path)
                sums[number] = [a + b for a, b in zip(sums[number], spent, strict=True)]
        for number, (clock, processor) in enumerate(sums):
            clocks[number].append(clock)
            processors[number].append(processor)
    clock_s, processor_s = ([*map(statistics.median, each)] for each in (clocks, processors))
    compared = len(timers) > 1
    return Speed(
        *names,
        len(paths),
        sum(path.stat().st_size for path in paths) / 1e6,
        round(clock_s[0], 4),
        round(processor_s[0], 4),
        round(processor_s[1] / processor_s[0], 3) if compared else None,
        round(clock_s[1] / clock_s[0], 3) if compared else None,
    )


def write_large(folder: Path) -> Iterator[tuple[str, Path]]:
    """Write a large file of each format and yield them."""
    for suffix, write in LARGE.items():
        path = folder / f"{LARGE_STEM}{suffix}"
        path.write_bytes(write())
        yield FORMATS[suffix], path


def speed_table(speeds: Sequence[Speed]) -> str:
    """Return a line for each format."""
    head = f"{'format':<10}{'files':<6}{'n':>4}{'MB':>8}{'s':>9}{'MB/s':>8}{'cpu s':>9}"
    compared = any(one.ratio is not None for one in speeds)
    lines = [head + ("   of the other's speed (by the clock)" if compared else "")]
    for one in speeds:
        line = f"{one.file_format:<10}{one.files:<6}{one.count:>4}{one.megabytes:>8.2f}"
        speed = one.megabytes / max(one.seconds, 1e-4)  # a clock may stand still meanwhile
        line += f"{one.seconds:>9.3f}{speed:>8.2f}{one.processor_s:>9.3f}"
        if compared:
            line += f"{one.ratio:>10.2f} ({one.clock_ratio:.2f})" + (" <" if one.is_slow else "")
        lines.append(line)
    return "\n".join(lines) + "\n"


def _text(chars: int = LARGE_CHARS) -> Iterator[str]:
    """Yield paragraphs of about 500 letters, a heading before every tenth as `# …`."""
    chance, written, number = random.Random(1), 0, 0
    while written < chars:
        number += 1
        words = " ".join(chance.choices(WORDS_EN, k=90)).capitalize() + "."
        written += len(words)
        yield f"# Part {number}" if number % 10 == 1 else words


def _marked(heading: str, paragraph: str) -> Iterator[str]:
    """Yield the paragraphs in the markup of a format."""
    for text in _text():
        is_heading = text.startswith("# ")
        yield (heading if is_heading else paragraph).format(text.removeprefix("# "))


def _grid(rows: int) -> Grid:
    chance = random.Random(2)
    cells = tuple(
        (f"BX-{n:05}", *(str(chance.randrange(10_000)) for _ in range(4)), chance.choice(WORDS_EN))
        for n in range(rows)
    )
    return Grid("Parts", ("Part", "Load", "Least", "Most", "Price", "Note"), cells)


def _html() -> bytes:
    body = "".join(_marked("<h2>{}</h2>", "<p>{}</p>\n"))
    return body.encode() + grids.html_table(_grid(LARGE_ROWS // 10))


def _markdown() -> bytes:
    return "\n\n".join(_text()).encode() + b"\n\n" + grids.markdown_table(_grid(LARGE_ROWS // 10))


def _word() -> bytes:
    parts = [
        files.paragraph(text.removeprefix("# "), style="1" if text.startswith("# ") else "")
        for text in _text()
    ]
    rows = grids.word_rows(_grid(LARGE_ROWS // 10))
    return files.zipped(files.word_parts("".join(parts) + rows))


def _pdf() -> bytes:
    words = " ".join(_text()).split()
    lines = [" ".join(words[n : n + 14]) for n in range(0, 14 * PDF_PAGES * PDF_LINES, 14)]
    pages = [
        Page([Placed(50, 750 - 12 * n, line) for n, line in enumerate(lines[at : at + PDF_LINES])])
        for at in range(0, len(lines), PDF_LINES)
    ]
    return grids.placed_pdf([*pages, *grids.table_pages(_grid(300), ruled=True)])


def _rows(dump: Callable[[list[dict[str, str]]], str]) -> bytes:
    grid = _grid(LARGE_ROWS)
    return dump([dict(zip(grid.header, row, strict=True)) for row in grid.rows]).encode()


def _slides() -> bytes:
    texts = [text for text in _text(LARGE_CHARS // 4) if not text.startswith("# ")]
    return files.slides(*texts)


def _book() -> bytes:
    texts = list(_marked("<h2>{}</h2>", "<p>{}</p>"))
    return files.book(*("".join(texts[at : at + 100]) for at in range(0, len(texts), 100)))


LARGE: Mapping[str, Callable[[], bytes]] = {
    ".txt": lambda: "\n\n".join(_text()).encode(),
    ".md": _markdown,
    ".pdf": _pdf,
    ".docx": _word,
    ".xlsx": lambda: grids.excel_table(_grid(LARGE_ROWS)),
    ".pptx": _slides,
    ".html": _html,
    ".epub": _book,
    ".eml": lambda: b"Subject: large\nFrom: a@example.com\n\n" + "\n\n".join(_text()).encode(),
    ".csv": lambda: grids.csv_table(_grid(LARGE_ROWS)),
    ".json": lambda: _rows(json.dumps),
    ".jsonl": lambda: _rows(lambda rows: "\n".join(map(json.dumps, rows))),
}
"""Suffix → makes the large file of its format."""
