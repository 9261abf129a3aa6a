"""Random documents of each format whose every number is known: written here, to be read back."""

from collections.abc import Callable, Mapping

from tests.knowledge.parsing.documents import pdf, plain
from tests.knowledge.parsing.documents.marks import Written

__all__ = ["WRITERS", "Written"]

WRITERS: Mapping[str, Callable[[int], Written]] = {
    "csv": plain.separated,
    "markdown": plain.markdown,
    "json": plain.records,
    "ruled pdf": lambda seed: pdf.pdf_table(seed, ruled=True),
    "pdf": lambda seed: pdf.pdf_table(seed, ruled=False),
}
"""What is written → from a seed, a document of it."""
