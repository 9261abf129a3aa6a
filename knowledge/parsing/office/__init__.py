"""Office files: Word, PowerPoint and Excel.

It knows which of them a file is; it does not know how any is read (`word`, `slides`,
`knowledge.parsing.sheets`).
"""

from collections.abc import Callable
from functools import partial

from knowledge.errors import UnsupportedFile
from knowledge.parsing.blocks import Content
from knowledge.parsing.limits import ParseLimits
from knowledge.parsing.package import Package
from knowledge.parsing.writer import BlockWriter

INSERTED = (b"chunk", b"Chunk", b".htm", b".xht", b".mht", b".txt")
"""What names of parts hold that a Word file inserts whole; names are not compressed."""
AddParts = Callable[[BlockWriter, Package, ParseLimits], None]

KINDS = {"document": "docx", "workbook": "xlsx", "presentation": "pptx"}


def parts_reader(kind: str, content: bytes = b"") -> AddParts:
    """Return what reads the parts of a `docx`, `xlsx` or `pptx`; only that is imported.

    What reads inserted pages is imported where the bytes of the file hold a name of such a part:
    it takes a tenth of the time that a short file takes.
    """
    if kind == "docx":
        from knowledge.parsing.office.word import read_word

        if not any(name in content for name in INSERTED):
            return read_word
        from knowledge.parsing.office.chunks import chunk_content

        return partial(read_word, read_chunk=chunk_content)
    if kind == "xlsx":
        from knowledge.parsing.sheets import read_sheets

        return read_sheets
    from knowledge.parsing.office.slides.deck import read_slides

    return read_slides


def read_office(
    filename: str, content: bytes, kind: str, limits: ParseLimits, *, add_parts: AddParts
) -> Content:
    """Return the content of a Word, Excel or PowerPoint file.

    Args:
        filename: For messages.
        content: The file.
        kind: `docx`, `xlsx` or `pptx`, as its name says.
        limits: What it may cost.
        add_parts: The `parts_reader` of that kind.

    Raises:
        UnsupportedFile: It is another kind of Office file than its name says.
        DamagedFile, PasswordRequired, ParseLimitExceeded: As they say.
    """
    package = Package(filename, content, limits)
    root = next((event.name for event in package.events(package.main)), "")
    if KINDS.get(root) != kind:
        found = KINDS.get(root)
        told = f"{found} inside; rename it to end in .{found}" if found else "another kind of file"
        raise UnsupportedFile(f"{filename!r} is {told}")
    writer = BlockWriter(limits.chars)
    add_parts(writer, package, limits)
    return Content(writer.blocks, "utf-8", writer.not_read)
