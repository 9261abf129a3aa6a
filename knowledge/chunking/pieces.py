"""Pieces of a section: its blocks packed into a size, and cut where their kind allows.

It knows blocks, sizes and overlaps; it does not know headings' order, pages or what a chunk is.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from langchain_text_splitters import RecursiveCharacterTextSplitter

from knowledge.chunking.size import CHARS_PER_TOKEN, Size
from knowledge.config import ChunkingStrategy
from knowledge.parsing.blocks import BlockKind

SEPARATORS = [
    r"\n\n+",
    r"\n",
    r"(?<=[。！？!?])(?=[^\d])|(?<=\.)(?=\s)",
    r"(?<=[；;])",
    r"(?<=[，、,])",
    r"\s",
    "",
]
"""Paragraph, line, sentence (Chinese and Latin), clause, comma, space, anywhere."""
SENTENCES = SEPARATORS[2:]
"""Sentence first: paragraphs and lines do not hold sentences together."""
WORDS = SEPARATORS[5:]
"""Anywhere between words: every chunk is as full as it can be."""
LINES = [r"\n\n+", r"\n", r"\s", ""]
CELLS = [r"(?<= \| )", *WORDS]

FLOWING: frozenset[BlockKind] = frozenset({"paragraph", "list_item", "note"})
MIN_TOKENS = 8  # of a piece, however long the header before it is

_SENTENCE_START = re.compile(r"(?<=[。！？!?；;\n])\s*(?=\S)|(?<=\.)\s+(?=\S)")
_WORD_START = re.compile(r"(?<=\s)(?=\S)")
_PUNCTUATION = r"\s。！？；，、!?;,."


@dataclass(frozen=True, slots=True)
class Unit:
    """A block, or a part of one, where it stands.

    Attributes:
        heading: The path of headings above it.
        header: Of a table: where its title and header rows stand.
    """

    kind: BlockKind
    start: int
    end: int
    heading: str
    header: tuple[int, int] | None = None

    @property
    def is_heading(self) -> bool:
        """Whether it names what follows it."""
        return self.kind == "heading"

    @property
    def lead(self) -> tuple[int, int] | None:
        """Where the header of the table stands that it goes on with."""
        is_part = self.header is not None and self.header[0] < self.start
        return self.header if is_part else None


@dataclass(frozen=True, slots=True)
class Piece:
    """Neighbouring units, and how much of the piece before is repeated at the beginning."""

    units: tuple[Unit, ...]
    begin: int

    @property
    def start(self) -> int:
        """Where it begins, what is repeated included."""
        return self.begin

    @property
    def end(self) -> int:
        """Where it ends."""
        return self.units[-1].end

    @property
    def heading(self) -> str:
        """The path of headings above it; of the last one it begins with."""
        named = [unit for place, unit in enumerate(self.units) if _is_named(self.units[:place])]
        return named[-1].heading

    @property
    def lead(self) -> tuple[int, int] | None:
        """Where the header of the table stands that it goes on with."""
        return self.units[0].lead


def _is_named(before: Sequence[Unit]) -> bool:
    return all(unit.is_heading for unit in before)


@dataclass(frozen=True, slots=True)
class _Way:
    """How a strategy cuts running text, and where a repeated end may begin."""

    separators: list[str]
    overlap_starts: re.Pattern[str] = _SENTENCE_START
    joins_blocks: bool = False


_WAYS: dict[ChunkingStrategy, _Way] = {
    "markdown": _Way(SEPARATORS),
    "recursive": _Way(SEPARATORS),
    "parent_child": _Way(SEPARATORS),
    "sentence": _Way(SENTENCES, joins_blocks=True),
    "fixed": _Way(WORDS, overlap_starts=_WORD_START, joins_blocks=True),
}


class Cutter:
    """Cuts sections of one document into pieces of at most a size."""

    def __init__(
        self, text: str, size: Size, strategy: ChunkingStrategy, *, tokens: int, overlap: int
    ) -> None:
        """Cut `text` into pieces of at most `tokens`, `overlap` of them repeated."""
        self._text = text
        self._size = size
        self._strategy = strategy
        self._way = _WAYS[strategy]
        self._tokens = tokens
        self._overlap = overlap
        self._own = max(tokens - overlap, MIN_TOKENS)

    def with_sizes(self, *, tokens: int, overlap: int) -> "Cutter":
        """Return a cutter of the same text for other sizes."""
        return Cutter(self._text, self._size, self._strategy, tokens=tokens, overlap=overlap)

    def cut(self, units: Sequence[Unit]) -> Iterator[Piece]:
        """Yield the pieces of neighbouring units; those of a section that fits are one piece."""
        whole = self._measure(units[0].start, units[-1].end) + self._lead_size(units[0])
        if whole <= self._tokens:
            yield Piece(tuple(units), units[0].start)
            return
        before: Piece | None = None
        for group in self._pack(self._joined(units) if self._way.joins_blocks else units):
            piece = Piece(tuple(group), self._begin(before, group[0]))
            yield piece
            before = piece

    def _measure(self, start: int, end: int) -> int:
        return self._size(self._text[start:end])

    def _joined(self, units: Iterable[Unit]) -> list[Unit]:
        """Return the units with neighbouring running text in one."""
        joined: list[Unit] = []
        for unit in units:
            last = joined[-1] if joined else None
            if last and last.kind in FLOWING and unit.kind in FLOWING:
                joined[-1] = replace(last, end=unit.end)
            else:
                joined.append(unit)
        return joined

    def _lead_size(self, unit: Unit) -> int:
        """Return the size of the header that is repeated before a unit."""
        return self._measure(*unit.lead) if unit.lead else 0

    def _filled(self, group: Sequence[Unit]) -> int:
        """Return the size of a piece; counting part by part is much quicker than the whole."""
        if not group:
            return 0
        tokens = sum(self._measure(unit.start, unit.end) for unit in group)
        letters = -(-(group[-1].end - group[0].start) // CHARS_PER_TOKEN)
        return max(tokens, letters) + self._lead_size(group[0])

    def _pack(self, units: Iterable[Unit]) -> Iterator[list[Unit]]:
        """Yield units that share a piece; what leads over to the next unit goes with it."""
        group: list[Unit] = []
        for unit in units:
            if group and self._filled([*group, unit]) > self._own:
                kept, group = self._lead_in(group)
                if kept:
                    yield kept
            if self._filled([*group, unit]) <= self._own:
                group.append(unit)
                continue
            room = self._own - self._filled(group) - bool(group)  # a blank line lies between
            for number, part in enumerate(self._parts(unit, room=room)):
                if number:
                    yield group
                    group = []
                group.append(part)
        if group:
            yield group

    def _lead_in(self, group: list[Unit]) -> tuple[list[Unit], list[Unit]]:
        """Return (what stays, the headings and the sentence at the end that name what follows)."""
        at = len(group)
        while at and (
            group[at - 1].kind in ("heading", "caption") or self._announces(group[at - 1])
        ):
            at -= 1
        is_short = self._filled(group[at:]) * 2 <= self._own
        return (group[:at], group[at:]) if is_short else (group, [])

    def _announces(self, unit: Unit) -> bool:
        return unit.kind == "paragraph" and self._text[unit.end - 1] in ":："

    def _parts(self, unit: Unit, *, room: int) -> Iterator[Unit]:
        """Yield the parts of a unit that is too large for a piece; the first fits into `room`."""
        if unit.kind == "table" or unit.header:
            yield from self._rows(unit, room)
            return
        separators = LINES if unit.kind == "code" else self._way.separators
        for start, end in self._split(unit.start, unit.end, separators, min(room, self._own)):
            yield replace(unit, start=start, end=end)

    def _rows(self, unit: Unit, room: int) -> Iterator[Unit]:
        """Yield rows of a table, as many as fit beside its header."""
        unit = replace(unit, header=self._short_header(unit))
        later = self._tokens - (self._measure(*unit.header) if unit.header else 0)
        left = max(room - self._lead_size(unit), MIN_TOKENS)
        part = replace(unit, end=unit.start)
        for start, end in self._cells(unit, most=min(left, later)):
            longer = replace(part, end=end)
            if part.end > part.start and self._measure(longer.start, longer.end) > left:
                yield part
                left = later
                longer = replace(part, start=start, end=end)
            part = longer
        yield part

    def _cells(self, unit: Unit, *, most: int) -> Iterator[tuple[int, int]]:
        """Yield the rows of a table; of a row that is too large some cells at a time."""
        for start, end in _lines(self._text, unit.start, unit.end):
            if self._measure(start, end) <= most:
                yield start, end
            else:
                yield from self._split(start, end, CELLS, most)

    def _short_header(self, unit: Unit) -> tuple[int, int] | None:
        """Return the header of a table, no longer than half a piece."""
        if unit.header is None:
            return None
        start, end = unit.header
        most = self._tokens // 2
        if self._measure(start, end) > most:
            end = next(self._split(start, end, CELLS, most))[1]
        return start, end

    def _split(
        self, start: int, end: int, separators: list[str], tokens: int
    ) -> Iterator[tuple[int, int]]:
        """Yield (start, end) of parts of running text, without the white space around them."""
        tokens = max(tokens, MIN_TOKENS)
        splitter = _splitter(separators, tokens, self._size)
        for run_start, run_end in _runs(self._text, start, end, tokens * CHARS_PER_TOKEN):
            run, cursor = self._text[run_start:run_end], 0
            for part in [run] if self._size(run) <= tokens else splitter.split_text(run):
                found = run.find(part, cursor)
                assert found >= 0, "the splitter returned text that is not in the document"
                cursor = found + len(part)
                begin = run_start + found + len(part) - len(part.lstrip())
                stop = run_start + found + len(part.rstrip())
                if stop > begin:
                    yield begin, stop

    def _begin(self, before: Piece | None, first: Unit) -> int:
        """Return where a piece begins: the earliest sentence before it that fits the overlap."""
        flows = first.kind in FLOWING and before is not None and before.units[-1].kind in FLOWING
        if before is None or not flows or not self._overlap:
            return first.start
        end = before.end
        begin = first.start
        starts = self._way.overlap_starts.finditer(self._text, before.start + 1, end)
        for found in reversed(list(starts)):
            if self._measure(found.end(), end) > self._overlap:
                break
            begin = found.end()
        return begin


def _lines(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    while start < end:
        stop = text.find("\n", start, end)
        stop = end if stop < 0 else stop
        if stop > start:
            yield start, stop
        start = stop + 1


def _runs(text: str, start: int, end: int, chars: int) -> Iterator[tuple[int, int]]:
    """Yield the text in order; of what has no place to be cut, as much as fits each time."""
    unbroken = re.compile(f"[^{_PUNCTUATION}]{{{chars + 1},}}")
    done = start
    for found in unbroken.finditer(text, start, end):
        if found.start() > done:
            yield done, found.start()
        for at in range(found.start(), found.end(), chars):
            yield at, min(at + chars, found.end())
        done = found.end()
    if done < end:
        yield done, end


def _splitter(separators: list[str], tokens: int, size: Size) -> RecursiveCharacterTextSplitter:
    return RecursiveCharacterTextSplitter(
        separators=separators,
        is_separator_regex=True,
        keep_separator="end",
        strip_whitespace=False,
        chunk_size=tokens,
        chunk_overlap=0,  # added afterwards, in whole sentences
        # white space counts as one: the splitter repeats a piece of length zero in the next chunk;
        # nothing counts as nothing: the splitter adds it for each join
        length_function=lambda piece: max(size(piece), 1) if piece else 0,
    )
