"""What the parts of a Word file share: styles, numberings, notes, and what was left out.

It knows where each is found in the file; it does not know text.
"""

from collections.abc import Callable

from knowledge.parsing.blocks import Content
from knowledge.parsing.limits import ParseLimits
from knowledge.parsing.office.left_out import LeftOut
from knowledge.parsing.office.notes import Notes
from knowledge.parsing.office.numbering import Numbering
from knowledge.parsing.office.styles import Styles
from knowledge.parsing.package import Package
from knowledge.parsing.writer import BlockWriter

ChunkReader = Callable[[str, bytes, int], Content]
"""From a part's name, its bytes and how many letters it may have: what is in it."""


class Document:
    """What the parts of a Word file share."""

    def __init__(
        self,
        writer: BlockWriter,
        package: Package,
        limits: ParseLimits,
        read_chunk: ChunkReader | None = None,
    ) -> None:
        """Read styles, numberings and how notes are numbered."""
        self.writer = writer
        self.package = package
        self.limits = limits
        self.read_chunk = read_chunk
        self.styles = Styles(package)
        self.numbering = Numbering(package)
        self.notes = Notes(package)
        self.left_out = LeftOut()
        self.is_inserted = False  # in another document

    def inserted(self, part: str, content: bytes) -> "Document":
        """Return a Word file that this one inserts whole, to be written to the same place."""
        inner = Package(part, content, self.limits)
        inner.skipped = self.package.skipped
        document = Document(self.writer, inner, self.limits, self.read_chunk)
        document.is_inserted, document.left_out = True, self.left_out
        return document

    def depth(self, number_id: str, style: str, own: int | None) -> int:
        """Return the level of a paragraph in a list: its own, or what binds its style to one."""
        if own is not None:
            return own
        for name in self.styles.chain(style):
            bound = self.numbering.depth_of_style(number_id, name)
            if bound is not None:
                return bound
        return self.styles.get(style).depth or 0
