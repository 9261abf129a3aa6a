"""Cuts a document's text into chunks whose offsets are exact.

It knows headings, separators and token budgets; it does not know embedders (the count comes in
as a callable), tenants or storage. `chunk.text` is always `text[start:end]`.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from langchain_text_splitters import RecursiveCharacterTextSplitter

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

_FENCE = re.compile(r"^ {0,3}(```|~~~)")
_HEADING = re.compile(r"^ {0,3}(#{1,6})\s+(.*?)\s*#*\s*$")
_SENTENCE_START = re.compile(r"(?<=[。！？!?；;\n])\s*(?=\S)|(?<=\.)\s+(?=\S)")
HEADING_SEPARATOR = " > "


@dataclass(frozen=True, slots=True)
class _Section:
    start: int
    end: int
    heading: str


def chunk(
    parsed: ParsedText, *, count_tokens: CountTokens, chunk_tokens: int, overlap_tokens: int
) -> list[Chunk]:
    """Cut a document into chunks of at most `chunk_tokens` tokens, in reading order.

    Args:
        parsed: Its text; Markdown is cut at headings first, so no chunk spans two sections.
        count_tokens: The embedder's own count.
        chunk_tokens: Most tokens of a chunk, overlap included.
        overlap_tokens: Most tokens a chunk repeats of the one before it, in whole sentences
            and within its section only.

    Returns:
        At least one chunk for a text that is not blank.
    """
    splitter = RecursiveCharacterTextSplitter(
        separators=SEPARATORS,
        is_separator_regex=True,
        keep_separator="end",
        strip_whitespace=False,
        chunk_size=max(chunk_tokens - overlap_tokens, 8),  # the overlap is added afterwards
        chunk_overlap=0,
        # white space counts as one: the splitter repeats a piece of length zero in the next chunk
        length_function=lambda piece: max(count_tokens(piece), 1),
    )
    chunks: list[Chunk] = []
    for section in _sections(parsed):
        previous: tuple[int, int] | None = None
        fits = count_tokens(parsed.text[section.start : section.end]) <= chunk_tokens
        for start, end in _pieces(parsed.text, section, None if fits else splitter):
            begin = start
            if previous is not None:
                begin = _overlap(parsed.text, previous, count_tokens, overlap_tokens)
            previous = (start, end)
            text = parsed.text[begin:end]
            chunks.append(
                Chunk(
                    ordinal=len(chunks),
                    text=text,
                    start=begin,
                    end=end,
                    page=_page(parsed, start),
                    heading=section.heading,
                    tokens=count_tokens(text),
                )
            )
    return chunks


def embedded_text(heading: str, text: str) -> str:
    """Return what the embedder sees: the headings above a chunk, then its text without them."""
    lines = text.split("\n")
    while lines and (not lines[0].strip() or _HEADING.match(lines[0])):
        lines.pop(0)
    body = "\n".join(lines).strip()
    return f"{heading}\n{body}".strip() or text.strip()


def _sections(parsed: ParsedText) -> list[_Section]:
    """Return the sections of a text whose headings are marked; of any other text, the whole."""
    whole = [_Section(0, len(parsed.text), "")]
    if parsed.format not in HEADED:
        return whole
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
    return sections or whole


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
    text: str, previous: tuple[int, int], count_tokens: CountTokens, overlap_tokens: int
) -> int:
    """Return where the next chunk begins: the earliest sentence that fits the overlap."""
    start, end = previous
    begin = end
    for found in reversed(list(_SENTENCE_START.finditer(text, start + 1, end))):
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
