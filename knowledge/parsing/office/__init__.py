"""Office files: Word, PowerPoint and Excel.

It knows which of them a file is; it does not know how any is read (`word`, `slides`,
`knowledge.parsing.sheets`).
"""

from knowledge.errors import UnsupportedFile
from knowledge.parsing.blocks import Content
from knowledge.parsing.limits import ParseLimits
from knowledge.parsing.office.slides import read_slides
from knowledge.parsing.office.word import read_word
from knowledge.parsing.package import Package
from knowledge.parsing.sheets import read_sheets
from knowledge.parsing.writer import BlockWriter

KINDS = {"document": "docx", "workbook": "xlsx", "presentation": "pptx"}


def read_office(filename: str, content: bytes, kind: str, limits: ParseLimits) -> Content:
    """Return the content of a Word, Excel or PowerPoint file.

    Args:
        filename: For messages.
        content: The file.
        kind: `docx`, `xlsx` or `pptx`, as its name says.
        limits: What it may cost.

    Raises:
        UnsupportedFile: It is another kind of Office file than its name says.
        DamagedFile, PasswordRequired, ParseLimitExceeded: As they say.
    """
    package = Package(filename, content, limits)
    root = next((event.name for event in package.events(package.main)), "")
    if KINDS.get(root) != kind:
        raise UnsupportedFile(f"{filename!r} is {KINDS.get(root, 'another kind of file')} inside")
    writer = BlockWriter(limits.chars)
    if kind == "docx":
        read_word(writer, package, limits)
    elif kind == "xlsx":
        read_sheets(writer, package, limits)
    else:
        read_slides(writer, filename, package, limits)
    return Content(writer.blocks, "utf-8", writer.not_read)
