"""What is known of a source file once it was read: its text, and what stands where in it.

It knows offsets; it does not know how they were found.
"""

from dataclasses import dataclass

from knowledge.parsing.blocks import NotRead, PlacedBlock


@dataclass(frozen=True, slots=True)
class ParsedText:
    """The text of a source file; offsets count its code points.

    Attributes:
        format: Of the file, one of `FORMATS`.
        encoding: Of its text; `binary` where it has none.
        page_starts: Offsets of pages 2, 3, … where there are any.
        blocks: Headings, tables, code and so on, in order; none for plain text. Those of Markdown
            are found in its text where they are needed (`markdown.py`).
        sheets: Offset and name of each sheet.
        left_out: What was not read, where, and why.
        pictures: Pages (from 1) that are pictures and were not read.
        recognised: Pages whose text was recognised in a picture, each with the confidence, 0..1.
    """

    text: str
    format: str
    encoding: str
    page_starts: tuple[int, ...] = ()
    blocks: tuple[PlacedBlock, ...] = ()
    sheets: tuple[tuple[int, str], ...] = ()
    left_out: tuple[NotRead, ...] = ()
    pictures: tuple[int, ...] = ()
    recognised: tuple[tuple[int, float], ...] = ()
