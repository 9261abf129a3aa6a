"""The sections of a document: what stands under one heading, on one page, block by block.

It knows headings, pages and blocks; it does not know sizes.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from knowledge.chunking.pieces import Unit
from knowledge.parsing import ParsedText
from knowledge.parsing.blocks import PlacedBlock
from knowledge.parsing.markdown import markdown_blocks, plain_title
from knowledge.types import HEADING_SEPARATOR

TITLE_CHARS = 200
"""Of a heading, what stands before its chunks: a longer one is a paragraph marked as a heading."""

_HTML_HEADER = re.compile(
    r"\s*+(?:<(?:div|p|center|figure)\b[^<>]*+>\s*+)*+<table\b"
    r"(?:(?:(?!<tr\b|<thead\b).)*+<thead\b.*?</thead\s*+>"
    r"|(?:(?!</tr\b|<t[dh]\b).)*+<th\b.*?</tr\s*+>)",
    re.IGNORECASE | re.DOTALL,
)
"""The header rows of a table that is written in HTML; a first row of `<td>` is none."""
_HTML_HEADING = re.compile(r"<h([1-6])\b[^<>]*+>([^\n]{1,1000})</h\1\s*+>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Section:
    """Blocks that may share a chunk, in order."""

    units: tuple[Unit, ...]


def sections(parsed: ParsedText, *, at_headings: bool) -> Iterator[Section]:
    """Yield the sections of a document, in order.

    A heading with nothing under it stays with the section that follows. A page ends its section
    unless a block goes on over the break.

    Args:
        parsed: The document.
        at_headings: A heading begins a section; else only pages do.
    """
    edges = _page_edges(parsed)
    units: list[Unit] = []
    for unit in _units(parsed):
        is_next_page = bool(units) and any(units[-1].end <= edge <= unit.start for edge in edges)
        has_body = any(not before.is_heading for before in units)
        if is_next_page or (at_headings and unit.is_heading and has_body):
            yield Section(tuple(units))
            units = []
        units.append(unit)
    if units:
        yield Section(tuple(units))


def blocks_of(parsed: ParsedText) -> Sequence[PlacedBlock]:
    """Return the blocks of a document; plain text is one paragraph a page."""
    if parsed.blocks:
        return parsed.blocks
    if parsed.format == "markdown":
        return [_told_by_html(parsed.text, block) for block in markdown_blocks(parsed.text)]
    edges = [0, *parsed.page_starts, len(parsed.text)]
    return [PlacedBlock("paragraph", start, end) for start, end in pairwise(edges)]


def _told_by_html(text: str, block: PlacedBlock) -> PlacedBlock:
    """Return a block of Markdown; as a heading, or a table with a header, if its HTML is one."""
    if block.kind != "paragraph" or not text.startswith("<", block.start):
        return block
    if heading := _HTML_HEADING.fullmatch(text, block.start, block.end):
        title = plain_title(heading[2])
        return replace(block, kind="heading", level=int(heading[1]), title=title)
    found = _HTML_HEADER.match(text, block.start, block.end)
    return replace(block, kind="table", header_end=found.end()) if found else block


def _page_edges(parsed: ParsedText) -> list[int]:
    return sorted(set(parsed.page_starts))


def _units(parsed: ParsedText) -> Iterator[Unit]:
    """Yield every block that holds text with the headings above it; no word is left out."""
    path: dict[int, str] = {}
    done = 0
    for block in (*blocks_of(parsed), None):
        start = len(parsed.text) if block is None else max(block.start, done)
        heading = HEADING_SEPARATOR.join(path[level] for level in sorted(path))
        if between := _trimmed(parsed.text, done, start):
            yield Unit("paragraph", *between, heading)
        if block is None:
            return
        if block.kind == "heading":
            path = {level: title for level, title in path.items() if level < block.level}
            path[block.level] = block.title[:TITLE_CHARS]
            heading = HEADING_SEPARATOR.join(path[level] for level in sorted(path))
        if place := _trimmed(parsed.text, start, block.end):
            header = (place[0], block.header_end) if block.header_end > place[0] else None
            yield Unit(block.kind, *place, heading, header)
        done = max(done, block.end)


def _trimmed(text: str, start: int, end: int) -> tuple[int, int] | None:
    """Return the place without the white space around it; None where there is nothing else."""
    inside = text[start:end]
    if not inside.strip():
        return None
    return start + len(inside) - len(inside.lstrip()), start + len(inside.rstrip())
