"""Cuts a document's text into chunks whose offsets are exact.

It knows strategies and what a chunk carries; sections, pieces and sizes have files of their own. It
does not know embedders (the count comes in as a callable), tenants or storage. `chunk.text` is
always `text[start:end]`.
"""

from collections.abc import Callable, Iterable

from knowledge.chunking.pieces import Cutter, Piece
from knowledge.chunking.sections import sections
from knowledge.chunking.size import Size
from knowledge.config import Chunking
from knowledge.parsing import ParsedText
from knowledge.types import HEADING_SEPARATOR, Chunk

CountTokens = Callable[[str], int]

__all__ = ["CountTokens", "chunk", "embedded_text", "without_headings"]


def chunk(parsed: ParsedText, chunking: Chunking, *, count_tokens: CountTokens) -> list[Chunk]:
    """Cut a document into chunks, in reading order.

    Args:
        parsed: Its text and blocks.
        chunking: How: `markdown` cuts at headings first, so that no chunk spans two sections;
            `recursive` at paragraphs, lines, sentences; `sentence` packs whole sentences;
            `fixed` fills every chunk; `parent_child` cuts sections into parents and those into
            small chunks that are found, while the parent is what is read. Whatever the strategy, a
            table is cut between its rows, code and lists at their lines, and a chunk keeps to its
            page unless a sentence goes on over the break.
        count_tokens: The embedder's own count.

    Returns:
        At least one chunk for a text that is not blank. Overlaps repeat whole sentences (words
        with `fixed`) of the chunk before, within its section only, and count towards the size. A
        chunk that goes on with a table carries the table's title and header rows (`lead`), which
        count too.
    """
    size = Size(count_tokens)
    strategy = chunking.strategy
    is_nested = strategy == "parent_child"
    cutter = Cutter(
        parsed.text,
        size,
        strategy,
        tokens=chunking.parent_tokens if is_nested else chunking.chunk_tokens,
        overlap=0 if is_nested else chunking.overlap_tokens,
    )
    chunks: list[Chunk] = []
    for section in sections(parsed, at_headings=strategy in ("markdown", "parent_child")):
        for piece in cutter.cut(section.units):
            if not is_nested:
                chunks.append(_chunk(parsed, len(chunks), piece, size))
                continue
            for child in _children(cutter, piece, chunking):
                chunks.append(_chunk(parsed, len(chunks), child, size, parent=piece))
    return chunks


def embedded_text(title: str, heading: str, text: str, lead: str = "") -> str:
    """Return what the embedder sees: where a chunk stands, then its text without its headings.

    Args:
        title: What a reader knows the document by. Under a heading only its folders are embedded:
            the heading names the subject better than a file's name, which may be an id ("What is
            found is what is shown" in `DECISIONS.md`).
        heading: The path of headings above the chunk.
        text: The chunk.
        lead: The title and header rows of the table that it goes on with.
    """
    body = without_headings(heading, text) or text.strip()
    folders = title.rpartition("/")[0]
    place = HEADING_SEPARATOR.join(filter(None, (folders if heading else title, heading)))
    return "\n".join(filter(None, (place, lead, body)))


def without_headings(heading: str, text: str) -> str:
    """Return a chunk's text without the lines at its beginning that only repeat its headings."""
    titles = set(heading.split(HEADING_SEPARATOR))
    lines = text.split("\n")
    while lines and (not lines[0].strip() or _title(lines[0]) in titles):
        lines.pop(0)
    return "\n".join(lines).strip()


def _title(line: str) -> str | None:
    """Return the words of a heading line; None for any other line."""
    words = line.lstrip()
    return words.strip("#").strip() if words.startswith("#") else None


def _children(cutter: Cutter, parent: Piece, chunking: Chunking) -> Iterable[Piece]:
    small = cutter.with_sizes(tokens=chunking.chunk_tokens, overlap=0)
    return small.cut(parent.units)


def _chunk(
    parsed: ParsedText, ordinal: int, piece: Piece, size: Size, *, parent: Piece | None = None
) -> Chunk:
    text = parsed.text[piece.start : piece.end]
    first, last = _page(parsed, piece.start), _page(parsed, piece.end - 1)
    lead = parsed.text[slice(*piece.lead)] if piece.lead else ""
    return Chunk(
        ordinal=ordinal,
        text=text,
        start=piece.start,
        end=piece.end,
        page=first,
        page_end=last if last != first else None,
        sheet=_sheet(parsed, piece.start),
        heading=piece.heading,
        tokens=size.tokens(text),
        parent_start=None if parent is None else parent.start,
        parent_end=None if parent is None else parent.end,
        lead=lead,
        ocr_confidence=_confidence(parsed, first or 1, last or 1),
    )


def _page(parsed: ParsedText, offset: int) -> int | None:
    if not parsed.page_starts and not parsed.recognised:
        return None
    return 1 + sum(1 for page_start in parsed.page_starts if page_start <= offset)


def _confidence(parsed: ParsedText, first: int, last: int) -> float | None:
    """Return how surely the text of these pages was recognised; None where it was not."""
    return min((sure for page, sure in parsed.recognised if first <= page <= last), default=None)


def _sheet(parsed: ParsedText, offset: int) -> str | None:
    names = [name for start, name in parsed.sheets if start <= offset]
    return names[-1] if names else None
