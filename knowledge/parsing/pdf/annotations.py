"""What stands on a page beside its text: form fields, notes, stamps, links, attached files.

It knows the annotations of a page (ISO 32000-1, 12.5); it does not know the words of the page, nor
what a field holds (`fields`). Nothing in a file is run: pdfium is built without JavaScript here,
and no action is asked for.
"""

import contextlib
import ctypes
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pypdfium2
from pypdfium2 import raw

from knowledge.parsing.blocks import NotRead
from knowledge.parsing.pdf.fields import Field, Unread, read_field, trimmed_lines
from knowledge.parsing.pdf.places import Box, Turn, text_of
from knowledge.parsing.writer import too_much_text

MOST_ANNOTATIONS = 5_000  # of a page: twenty times what the fullest tax form has; more are cut
MOST_LETTERS = 100_000  # of one value or note: a full page has 5,000
MOST_NAME = 200  # letters of a field's name: a sentence; more is cut
MOST_ADDRESS = 2_000  # bytes: what browsers and search engines take; a longer one is for programs
MOST_QUADS = 100  # places of one link or marked text: a line each
WHY_ATTACHED = "send it as a document of its own"
WHY_XFA = "an XFA form, whose fields are not read; print it into a PDF file"
HIDDEN = raw.FPDF_ANNOT_FLAG_HIDDEN | raw.FPDF_ANNOT_FLAG_NOVIEW
XFA = (raw.FORMTYPE_XFA_FULL, raw.FORMTYPE_XFA_FOREGROUND)
MARKS = (
    raw.FPDF_ANNOT_HIGHLIGHT,
    raw.FPDF_ANNOT_UNDERLINE,
    raw.FPDF_ANNOT_SQUIGGLY,
    raw.FPDF_ANNOT_STRIKEOUT,
)
NOTES = (
    *MARKS,
    raw.FPDF_ANNOT_TEXT,
    raw.FPDF_ANNOT_FREETEXT,
    raw.FPDF_ANNOT_CARET,
    raw.FPDF_ANNOT_LINE,
    raw.FPDF_ANNOT_SQUARE,
    raw.FPDF_ANNOT_CIRCLE,
    raw.FPDF_ANNOT_POLYGON,
    raw.FPDF_ANNOT_POLYLINE,
    raw.FPDF_ANNOT_INK,
)
MEDIA = {
    raw.FPDF_ANNOT_SOUND: "sound",
    raw.FPDF_ANNOT_MOVIE: "film",
    raw.FPDF_ANNOT_SCREEN: "film",
    raw.FPDF_ANNOT_RICHMEDIA: "film",
    raw.FPDF_ANNOT_THREED: "3D model",
}
STAMPS = frozenset(
    "Approved Experimental NotApproved AsIs Expired NotForPublicRelease Confidential Final Sold "
    "Departmental ForComment TopSecret Draft ForPublicRelease Completed Rejected Accepted Revised "
    "Reviewed Received Void InformationOnly PreliminaryResults SignHere Witness InitialHere".split()
)  # ISO 32000-1, table 181, and those that Adobe's readers add
ADDRESSES = ("http://", "https://", "ftp://", "mailto:", "tel:")
ENTITIES = {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&apos;": "'", "&#13;": "\n", "&amp;": "&"}


class Note(NamedTuple):
    """What somebody wrote on a page.

    Attributes:
        text: Its words.
        boxes: Where it stands, or each place of the words that it marks.
        kind: What it is called before its words.
        is_typed: It is shown as text of the page.
        is_mark: It says something about the words at those places.
    """

    text: str
    boxes: tuple[Box, ...]
    kind: str = "Note"
    is_typed: bool = False
    is_mark: bool = False


class Link(NamedTuple):
    """An address, and the places of the words that lead there."""

    address: str
    boxes: tuple[Box, ...]


@dataclass(slots=True)
class Beside:
    """What stands on a page beside its text."""

    fields: list[Field] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    not_read: list[NotRead] = field(default_factory=list)

    @property
    def needs_words(self) -> bool:
        """Whether the place of each word matters."""
        return bool(self.fields) or any(note.is_typed for note in self.notes)


class AnnotationReader:
    """Reads what stands beside the text of a document's pages."""

    def __init__(self, document: pypdfium2.PdfDocument, chars: int) -> None:
        """Prepare a document of at most `chars` letters, before any of its pages is opened."""
        self._document = document
        self._chars = self._left = chars
        self._xfa = raw.FORMTYPE_NONE
        self._has_fields = False
        self._where = ""
        self._turn: Turn | None = None
        self._beside = Beside()
        kind = document.get_formtype()
        if kind == raw.FORMTYPE_NONE:
            return
        self._xfa = kind if kind in XFA else self._xfa
        with contextlib.suppress(pypdfium2.PdfiumError):  # then fields speak for themselves
            document.init_forms()

    def read(self, page: pypdfium2.PdfPage, where: str, turn: Turn | None) -> Beside | None:
        """Return what stands beside the text of a page, or nothing.

        Args:
            page: The page.
            where: What it is called where something is not read.
            turn: What turned its words upright.

        Raises:
            ParseLimitExceeded: It is more text than allowed.
        """
        count = raw.FPDFPage_GetAnnotCount(page)
        if count < 1:
            return None
        self._beside, self._where, self._turn = Beside(), where, turn
        for number in range(min(count, MOST_ANNOTATIONS)):
            annotation = raw.FPDFPage_GetAnnot(page, number)
            if annotation:
                self._add(annotation)
                raw.FPDFPage_CloseAnnot(annotation)
        if count > MOST_ANNOTATIONS:
            what = f"{count - MOST_ANNOTATIONS:,} form fields and notes"
            self._tell(what, f"the page has more than {MOST_ANNOTATIONS:,}")
        return self._beside

    def of_file(self) -> Iterator[NotRead]:
        """Yield what is not read of the whole file, once its pages were read."""
        if self._xfa == raw.FORMTYPE_XFA_FULL or (self._xfa and not self._has_fields):
            yield NotRead("form", "the whole file", WHY_XFA)
        for number in range(max(0, raw.FPDFDoc_GetAttachmentCount(self._document))):
            attached = raw.FPDFDoc_GetAttachment(self._document, number)
            name = text_of(raw.FPDFAttachment_GetName, attached) if attached else ""
            yield NotRead("attachment", name or f"number {number + 1}", WHY_ATTACHED)

    def _add(self, annotation: Any) -> None:
        kind = raw.FPDFAnnot_GetSubtype(annotation)
        is_hidden = bool(raw.FPDFAnnot_GetFlags(annotation) & HIDDEN)
        if kind == raw.FPDF_ANNOT_WIDGET:
            self._add_field(annotation, is_hidden=is_hidden)
        elif is_hidden:
            return
        elif kind == raw.FPDF_ANNOT_LINK:
            if address := _address(self._document, annotation):
                self._beside.links.append(Link(address, self._boxes(annotation)))
        elif kind in NOTES:
            self._add_note(annotation, kind)
        elif kind == raw.FPDF_ANNOT_STAMP:
            if words := _contents(annotation) or _stamp(annotation):
                self._beside.notes.append(Note(self._cut(words, "stamp"), (), kind="Stamp"))
            else:
                self._tell("stamp", "it is a picture")
        elif kind == raw.FPDF_ANNOT_FILEATTACHMENT:
            attached = raw.FPDFAnnot_GetFileAttachment(annotation)
            name = text_of(raw.FPDFAttachment_GetName, attached) if attached else ""
            self._beside.not_read.append(NotRead("attachment", name or self._where, WHY_ATTACHED))
        elif kind in MEDIA:
            self._tell(MEDIA[kind], "only text is read")

    def _add_field(self, annotation: Any, *, is_hidden: bool) -> None:
        form = self._document.formenv
        self._has_fields = True
        found = read_field(form, annotation, self._box(annotation), is_hidden=is_hidden)
        if isinstance(found, Unread):
            self._tell(found.what, found.why)
        elif found:
            value = self._cut(found.value, f"form field {found.name!r}")
            self._beside.fields.append(found._replace(name=found.name[:MOST_NAME], value=value))

    def _add_note(self, annotation: Any, kind: int) -> None:
        words = _contents(annotation)
        if not words or raw.FPDFAnnot_HasKey(annotation, b"StateModel"):
            return  # "accepted", said of another note
        is_mark = kind in MARKS
        boxes = self._boxes(annotation) if is_mark else (self._box(annotation),)
        is_typed = kind == raw.FPDF_ANNOT_FREETEXT
        note = Note(self._cut(words, "note"), boxes, is_typed=is_typed, is_mark=is_mark)
        self._beside.notes.append(note)

    def _cut(self, words: str, what: str) -> str:
        """Return words, cut where they are too long; all of them together may be too many."""
        if len(words) > MOST_LETTERS:
            self._tell(f"rest of {what}", f"it has more than {MOST_LETTERS:,} letters")
            words = words[:MOST_LETTERS]
        self._left -= len(words)
        if self._left < 0:
            raise too_much_text(self._chars)
        return words

    def _tell(self, what: str, why: str) -> None:
        self._beside.not_read.append(NotRead(what, self._where, why))

    def _box(self, annotation: Any) -> Box:
        found = raw.FS_RECTF()
        raw.FPDFAnnot_GetRect(annotation, found)
        return self._turned([found.left, found.right], [found.bottom, found.top])

    def _boxes(self, annotation: Any) -> tuple[Box, ...]:
        """Return the places of the words that a link or mark is about."""
        boxes: list[Box] = []
        quad = raw.FS_QUADPOINTSF()
        for number in range(min(raw.FPDFAnnot_CountAttachmentPoints(annotation), MOST_QUADS)):
            if raw.FPDFAnnot_GetAttachmentPoints(annotation, number, quad):
                xs = [quad.x1, quad.x2, quad.x3, quad.x4]
                boxes.append(self._turned(xs, [quad.y1, quad.y2, quad.y3, quad.y4]))
        return tuple(boxes) or (self._box(annotation),)

    def _turned(self, xs: list[float], ys: list[float]) -> Box:
        box = Box(min(xs), min(ys), max(xs), max(ys))
        return self._turn.box(box) if self._turn else box


def _contents(annotation: Any) -> str:
    """Return what a note says; its rich text where that is all it has."""
    words = text_of(raw.FPDFAnnot_GetStringValue, annotation, b"Contents")
    if not words.strip():
        rich = text_of(raw.FPDFAnnot_GetStringValue, annotation, b"RC")[:MOST_LETTERS]
        words = re.sub(r"<[^>]*>", "", re.sub(r"(?i)</p>|<br\s*/?>", "\n", rich))
        for entity, letter in ENTITIES.items():
            words = words.replace(entity, letter)
    return trimmed_lines(words)


def _stamp(annotation: Any) -> str:
    name = text_of(raw.FPDFAnnot_GetStringValue, annotation, b"Name")
    name = re.sub(r"^(?:#?D|S[BH])(?=[A-Z])", "", name)
    names = {stamp.lower(): stamp for stamp in STAMPS}
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", names.get(name.lower(), "")).capitalize()


def _address(document: pypdfium2.PdfDocument, annotation: Any) -> str:
    """Return where a link leads outside of the file, or nothing."""
    link = raw.FPDFAnnot_GetLink(annotation)
    action = raw.FPDFLink_GetAction(link) if link else None
    if not action or raw.FPDFAction_GetType(action) != raw.PDFACTION_URI:
        return ""
    size = raw.FPDFAction_GetURIPath(document, action, None, 0)
    if not 1 < size <= MOST_ADDRESS:
        return ""
    buffer = ctypes.create_string_buffer(size)
    raw.FPDFAction_GetURIPath(document, action, buffer, size)
    address = buffer.value.decode("utf-8", "replace").strip()
    return address if address.lower().startswith(ADDRESSES) and " " not in address else ""
