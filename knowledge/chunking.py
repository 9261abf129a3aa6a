"""Cuts a document's text into chunks whose offsets are exact.

It knows headings, separators and token budgets; it does not know embedders (the count comes in
as a callable), tenants or storage. `chunk.text` is always `text[start:end]`.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise

from langchain_text_splitters import RecursiveCharacterTextSplitter

from knowledge.config import Chunking, ChunkingStrategy
from knowledge.parsing import HEADED, ParsedText
from knowledge.types import Chunk

CountTokens = Callable[[str], int]

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

_FENCE = re.compile(r"^ {0,3}(```|~~~)")
_HEADING = re.compile(r"^ {0,3}(#{1,6})\s+(.*?)\s*#*\s*$")
_SENTENCE_START = re.compile(r"(?<=[。！？!?；;\n])\s*(?=\S)|(?<=\.)\s+(?=\S)")
_WORD_START = re.compile(r"(?<=\s)(?=\S)")
HEADING_SEPARATOR = " > "


@dataclass(frozen=True, slots=True)
class _Section:
    start: int
    end: int
    heading: str


@dataclass(frozen=True, slots=True)
class _Cut:
    """Where a strategy cuts, and where the repeated end of the chunk before may begin."""

    separators: list[str]
    overlap_starts: re.Pattern[str] = _SENTENCE_START
    at_headings: bool = False


_CUTS: dict[ChunkingStrategy, _Cut] = {
    "markdown": _Cut(SEPARATORS, at_headings=True),
    "recursive": _Cut(SEPARATORS),
    "sentence": _Cut(SENTENCES),
    "fixed": _Cut(WORDS, overlap_starts=_WORD_START),
}
"""The strategies that cut once; `parent_child` cuts twice: `_children`."""


def chunk(parsed: ParsedText, chunking: Chunking, *, count_tokens: CountTokens) -> list[Chunk]:
    """Cut a document into chunks, in reading order.

    Args:
        parsed: Its text.
        chunking: How: `markdown` cuts at headings first, so that no chunk spans two sections;
            `recursive` at paragraphs, lines, sentences; `sentence` packs whole sentences;
            `fixed` fills every chunk; `parent_child` cuts sections into parents and those into
            small chunks that are found, while the parent is what is read.
        count_tokens: The embedder's own count.

    Returns:
        At least one chunk for a text that is not blank. Overlaps repeat whole sentences (words
        with `fixed`) of the chunk before, within its section only, and count towards the size.
    """
    count_tokens = cache(count_tokens)  # a piece is asked for again when it is joined, and stored
    if chunking.strategy == "parent_child":
        return _children(parsed, chunking, count_tokens)
    cut = _CUTS[chunking.strategy]
    sections = _sections(parsed) if cut.at_headings else _pages(parsed, _whole(parsed))
    own_tokens = chunking.chunk_tokens - chunking.overlap_tokens
    splitter = _splitter(cut.separators, own_tokens, count_tokens)
    chunks: list[Chunk] = []
    for section in sections:
        previous: tuple[int, int] | None = None
        size = count_tokens(parsed.text[section.start : section.end].strip())
        pieces = _pieces(parsed.text, section, splitter if size > chunking.chunk_tokens else None)
        for start, end in pieces:
            begin = start
            if previous is not None:
                begin = _overlap(
                    parsed.text, previous, cut.overlap_starts, count_tokens, chunking.overlap_tokens
                )
            previous = (start, end)
            chunks.append(_chunk(parsed, len(chunks), section.heading, (begin, end), count_tokens))
    return chunks


def _children(parsed: ParsedText, chunking: Chunking, count_tokens: CountTokens) -> list[Chunk]:
    """Cut into parents, and each parent into the chunks that are searched; nothing overlaps."""
    large = _splitter(SEPARATORS, chunking.parent_tokens, count_tokens)
    small = _splitter(SEPARATORS, chunking.chunk_tokens, count_tokens)
    chunks: list[Chunk] = []
    for section in _sections(parsed):
        for parent in _pieces(parsed.text, section, large):
            for piece in _pieces(parsed.text, _Section(*parent, section.heading), small):
                made = _chunk(parsed, len(chunks), section.heading, piece, count_tokens)
                chunks.append(replace(made, parent_start=parent[0], parent_end=parent[1]))
    return chunks


def _chunk(
    parsed: ParsedText,
    ordinal: int,
    heading: str,
    place: tuple[int, int],
    count_tokens: CountTokens,
) -> Chunk:
    start, end = place
    text = parsed.text[start:end]
    return Chunk(
        ordinal=ordinal,
        text=text,
        start=start,
        end=end,
        page=_page(parsed, start),
        heading=heading,
        tokens=count_tokens(text),
    )


def _splitter(
    separators: list[str], tokens: int, count_tokens: CountTokens
) -> RecursiveCharacterTextSplitter:
    return RecursiveCharacterTextSplitter(
        separators=separators,
        is_separator_regex=True,
        keep_separator="end",
        strip_whitespace=False,
        chunk_size=max(tokens, 8),
        chunk_overlap=0,  # added afterwards, in whole sentences
        # white space counts as one: the splitter repeats a piece of length zero in the next chunk;
        # nothing counts as nothing: the splitter adds it for each join
        length_function=lambda piece: max(count_tokens(piece), 1) if piece else 0,
    )


def embedded_text(heading: str, text: str) -> str:
    """Return what the embedder sees: the headings above a chunk, then its text without them."""
    lines = text.split("\n")
    while lines and (not lines[0].strip() or _HEADING.match(lines[0])):
        lines.pop(0)
    body = "\n".join(lines).strip()
    return f"{heading}\n{body}".strip() or text.strip()


def _sections(parsed: ParsedText) -> list[_Section]:
    """Return the sections of a text whose headings are marked, else its pages."""
    if parsed.format not in HEADED:
        return _pages(parsed, _whole(parsed))
    sections: list[_Section] = []
    path: dict[int, str] = {}
    start, heading, has_body = 0, "", False
    for offset, line in _unfenced_lines(parsed.text):
        found = _HEADING.match(line)
        if found is None:
            has_body = has_body or bool(line.strip())
            continue
        if has_body:  # a heading with nothing under it stays with the section that follows
            sections.append(_Section(start, offset, heading))
            start, has_body = offset, False
        level = len(found.group(1))
        path = {depth: title for depth, title in path.items() if depth < level}
        path[level] = found.group(2)
        heading = HEADING_SEPARATOR.join(path[depth] for depth in sorted(path))
    sections.append(_Section(start, len(parsed.text), heading))
    return [page for section in sections for page in _pages(parsed, section)]


def _pages(parsed: ParsedText, section: _Section) -> list[_Section]:
    """Return the section cut where pages begin: a citation names one page, and the right one."""
    inside = [at for at in parsed.page_starts if section.start < at < section.end]
    edges = [section.start, *inside, section.end]
    return [_Section(*edge, section.heading) for edge in pairwise(edges)]


def _whole(parsed: ParsedText) -> _Section:
    return _Section(0, len(parsed.text), "")


def _unfenced_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield (offset, line); inside a code fence a line can be no heading and is given as text."""
    offset, fence = 0, ""
    for line in text.splitlines(keepends=True):
        mark = _FENCE.match(line)
        if mark and not fence:
            fence = mark.group(1)
        elif mark and mark.group(1) == fence:
            fence = ""
        yield offset, f"\\{line}" if fence or mark else line.rstrip("\n")
        offset += len(line)


def _pieces(
    text: str, section: _Section, splitter: RecursiveCharacterTextSplitter | None
) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of the pieces of a section, without the white space around them.

    Without a splitter the section is one piece: most sections fit, and splitting is slow.
    """
    whole = text[section.start : section.end]
    cursor = section.start
    for piece in splitter.split_text(whole) if splitter else [whole]:
        found = text.find(piece, cursor, section.end)
        assert found >= 0, "the splitter returned text that is not in the document"
        cursor = found + len(piece)
        start = found + len(piece) - len(piece.lstrip())
        end = found + len(piece.rstrip())
        if end > start:
            yield start, end


def _overlap(
    text: str,
    previous: tuple[int, int],
    begins: re.Pattern[str],
    count_tokens: CountTokens,
    overlap_tokens: int,
) -> int:
    """Return where the next chunk begins: the earliest sentence that fits the overlap."""
    start, end = previous
    begin = end
    for found in reversed(list(begins.finditer(text, start + 1, end))):
        if count_tokens(text[found.end() : end]) > overlap_tokens:
            break
        begin = found.end()
    while begin < len(text) and text[begin].isspace():
        begin += 1
    return begin


def _page(parsed: ParsedText, offset: int) -> int | None:
    if not parsed.page_starts:
        return None
    return 1 + sum(1 for page_start in parsed.page_starts if page_start <= offset)
