"""What random documents are made of: numbers that are there once, and what has to be read of them.

It knows what a reader of the document would see; it does not know formats.
"""

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
LOWERED = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


@dataclass
class Written:
    """A document, and what has to be in its text.

    Attributes:
        rows: Each stands in one line, cell after cell: what only it has, and its cells; patterns.
        patterns: Each is found in the text, `^` being the begin of a line.
        runs: Every run of digits that may be there; each mark among `marks` has to be.
    """

    filename: str
    content: bytes = b""
    rows: list[tuple[str, Sequence[str]]] = field(default_factory=list)
    patterns: list[str] = field(default_factory=list)
    runs: set[str] = field(default_factory=set)
    marks: set[str] = field(default_factory=set)

    def add(self, *patterns: str, runs: Sequence[str] = ()) -> None:
        """Expect these patterns; their own digits, and `runs`, may be in the text."""
        self.patterns += patterns
        self.runs.update(run for text in runs for run in re.findall(r"\d+", text))

    def faults(self, text: str) -> list[str]:
        """Return what is lost or glued in the text that was read."""
        found = set(re.findall(r"[0-9]+", text))
        lost = [f"{mark} is lost" for mark in sorted(self.marks - found)]
        glued = [f"{run} is no number of it" for run in sorted(found - self.runs - self.marks)]
        rows = [fault for row in self.rows if (fault := _row_fault(*row, text))]
        absent = [f"{p!r} is not there" for p in self.patterns if not re.search(p, text, re.M)]
        return [*lost, *glued, *rows, *absent]


def _row_fault(own: str, cells: Sequence[str], text: str) -> str:
    line = next((line for line in text.splitlines() if re.search(own, line)), None)
    if line is None:
        return f"no line holds {own!r}"
    at = 0
    for cell in cells:
        match = re.compile(cell).search(line, at)
        if match is None:
            return f"{cell!r} is not where it belongs in {line!r}"
        at = match.end()
    return ""


@dataclass(frozen=True)
class RandomTable:
    """A table as it is read: merged cells filled.

    Attributes:
        down: Cells of the first column that are one: (first row, rows).
        across: Rows whose last two cells are one.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    down: tuple[tuple[int, int], ...]
    across: frozenset[int]

    def starts_down(self, row: int) -> int:
        """Return how many rows the first cell of a row spans; 0: it is covered from above."""
        for first, count in self.down:
            if first <= row < first + count:
                return count if row == first else 0
        return 1


class Marks:
    """Makes numbers that are there once, and the parts of documents that hold them."""

    def __init__(self, seed: int, written: Written) -> None:
        self.chance = random.Random(f"{written.filename} {seed}")
        self.written = written

    def mark(self) -> str:
        """Return a number of five digits that was not given before."""
        while (made := str(self.chance.randrange(11_111, 99_999))) in self.written.marks:
            pass
        self.written.marks.add(made)
        return made

    def figure(self) -> str:
        """Return a digit that a number is raised to, or a note."""
        made = str(self.chance.randrange(1, 10))
        self.written.runs.add(made)
        return made

    def table(self, *, merged: bool = True) -> RandomTable:
        """Return a table whose rows are expected."""
        columns, count = self.chance.randrange(4, 7), self.chance.randrange(4, 9)
        header = tuple(f"Column {self.mark()}" for _ in range(columns))
        rows = [[self.mark() for _ in range(columns)] for _ in range(count)]
        down, across = [], set()
        if merged:
            first = self.chance.randrange(count - 2)
            down = [(first, self.chance.randrange(2, 4))]
            across = {self.chance.randrange(count)}
        for first, rows_down in down:
            for row in range(first + 1, min(first + rows_down, count)):
                self.written.marks.discard(rows[row][0])
                rows[row][0] = rows[first][0]
        for row in across:
            self.written.marks.discard(rows[row][-1])
            rows[row][-1] = rows[row][-2]
        self.written.rows += [(row[1], tuple(dict.fromkeys(row))) for row in (header, *rows)]
        kept = tuple((first, min(rows_down, count - first)) for first, rows_down in down)
        return RandomTable(header, tuple(map(tuple, rows)), kept, frozenset(across))

    def raised(self) -> tuple[str, str]:
        """Return a number and what it is raised to; they have to stay apart."""
        number, figure = self.mark(), self.figure()
        raised = figure.translate(RAISED)
        self.written.add(rf"(?<!\d){number}([^\d\n]{{1,12}}{figure}(?!\d)|{raised})")
        return number, figure

    def lowered(self) -> tuple[str, str]:
        """Return an index and the number after it; they have to stay apart."""
        figure, number = self.figure(), self.mark()
        lowered = figure.translate(LOWERED)
        self.written.add(rf"({figure}\D{{1,3}}|{lowered}\D{{0,3}}){number}(?!\d)")
        return figure, number

    def listed(self, first: int = 1) -> list[str]:
        """Return items that are numbered by the program from `first` on."""
        count = self.chance.randrange(3, 13)
        return [self.item(str(number)) for number in range(first, first + count)]

    def item(self, number: str) -> str:
        """Return an item that the program numbers so, as `3` or `3.1`."""
        made = self.mark()
        self.written.add(rf"^\W*{re.escape(number)}[.)]?\s+item {made}\b", runs=[number])
        return made
