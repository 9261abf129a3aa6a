"""How much reading one file may cost.

It knows the numbers and where they come from; it does not enforce them.
"""

from dataclasses import dataclass
from typing import Literal

Ocr = Literal["auto", "always", "never"]
"""Of which pages the text is recognised: those without text, all, none."""
MEGABYTE = 1_000_000


@dataclass(frozen=True)
class ParseLimits:
    """Limits of reading one file; past any of them it is refused with `ParseLimitExceeded`."""

    memory_mb: int = 1_024
    """Address space of the child (RLIMIT_AS). A PDF of 2,000 short pages took 0.11 GB, most of it
    libraries; a large sheet takes several times its inflated size."""
    seconds: float = 30.0
    """Wall time, and processor time, of the child. A PDF of 2,000 pages
    (a line of text each) took 0.8 s, a real one of 22 pages with tables 0.3 s."""
    pages: int = 2_000
    """A page is 500 words or so: more is a library, not a document."""
    chars: int = 10_000_000
    """Ten times a book of 2,000 pages would be; embedding as much takes more than an hour."""
    inflated_mb: int = 200
    """Bytes that all parts of a zip based file may inflate to: ten times `max_document_bytes`."""
    inflated_ratio: int = 100
    """… and how many times the size of the file. XML of Office files inflates 5 to 30 times."""
    archive_entries: int = 5_000
    """Parts of a zip based file. A book or a deck of 1,000 slides has fewer."""
    ocr_seconds_per_page: float = 30.0
    """Processor time of recognising the text of one page; a dense one of 10 points takes 6 s. On a
    machine where ten processes share a core that is a minute: the wall time may be 4 times it."""
    ocr_pages: int = 200
    """Pages of a file whose text is recognised: 20 minutes of one core."""
    ocr_memory_mb: int = 1_536
    """Address space of the child that recognises text; see `recognition` in the results of the
    benchmarks for what a page of the most pixels takes."""
    ocr_pixels: int = 25_000_000
    """Of one page: A4 at 500 dpi. Three bytes each, several times."""
