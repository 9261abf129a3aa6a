"""Word: the parts of a file in the order in which they are read.

It knows which parts hold text: headers, the text itself with its notes, footers. It does not know
paragraphs (`story`). Comments are left out: they were not meant for readers.
"""

from collections.abc import Iterable

from knowledge.parsing.limits import ParseLimits
from knowledge.parsing.office.document import ChunkReader, Document
from knowledge.parsing.office.left_out import LeftOut
from knowledge.parsing.office.story import Story
from knowledge.parsing.package import SKIPPED, Package
from knowledge.parsing.writer import BlockWriter
from knowledge.parsing.xml import Event

CHANGES = {f"{name}Change" for name in ("pPr", "rPr", "tblPr", "trPr", "tcPr", "sectPr", "tblGrid")}
WHY_NO_COMMENTS = "comments are not meant for the readers of a document"


def read_word(
    writer: BlockWriter,
    package: Package,
    limits: ParseLimits,
    *,
    read_chunk: ChunkReader | None = None,
) -> None:
    """Add the text of a Word file.

    Args:
        writer: Where to.
        package: The file.
        limits: What it may cost.
        read_chunk: Reads pages and texts that the file inserts whole; None: they are told.

    Raises:
        DamagedFile, PasswordRequired, ParseLimitExceeded: As they say.
    """
    package.skipped = SKIPPED | CHANGES
    document = Document(writer, package, limits, read_chunk)
    main = package.main
    _read_parts(document, "footnotes", "endnotes", "header")
    Story(document, main).read()
    document.notes.add_rest(writer)
    _read_parts(document, "footer")
    for part in package.related(main, ("comments",)):
        _tell_comments(document.left_out, package.events(part))
    document.left_out.tell(writer)


def _read_parts(document: Document, *kinds: str) -> None:
    for kind in kinds:
        for part in document.package.related(document.package.main, (kind,)):
            Story(document, part, kind).read()


def _tell_comments(left_out: LeftOut, events: Iterable[Event]) -> None:
    for kind, name, attributes in events:
        if kind == "start" and name == "comment":
            author = attributes.get("author", "")
            left_out.add("comment", f"by {author}" if author else "in the margin", WHY_NO_COMMENTS)
