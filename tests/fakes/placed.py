"""PDFs whose words, lines and form fields stand where a test puts them."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tests.fakes.files import pdf_file

SIZE = 10.0
LEADING = 14.0
TOP = 760.0
_HAN_FONT = (
    b"<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /UniGB-UCS2-H "
    b"/DescendantFonts [<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light "
    b"/CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 2 >> /DW 1000 >>] >>"
)


@dataclass
class Page:
    """A page: words with a place and size, and lines across or down."""

    words: list[tuple[float, float, str, float]] = field(default_factory=list)
    lines: list[tuple[float, float, float, float]] = field(default_factory=list)
    has_picture: bool = False
    annotations: list[str] = field(default_factory=list)
    degrees: float = 0.0  # by which all that is drawn is turned, to the left
    rotate: int = 0  # by which a reader turns the page, to the right

    def put(self, x: float, y: float, text: str, size: float = SIZE) -> "Page":
        """Put words at a place, in points from the lower left."""
        self.words.append((x, y, text, size))
        return self

    def annotate(self, kind: str, box: Sequence[float], entries: str) -> "Page":
        """Put an annotation at a place: left, bottom, right, top."""
        rect = " ".join(map(str, box))
        shown = "" if "/F " in entries else "/F 4 "
        dictionary = f"/Type /Annot /Subtype /{kind} {shown}/Rect [{rect}] {entries}"
        self.annotations.append(f"<< {dictionary} >>")
        return self

    def fill(self, x: float, y: float, value: str, entries: str = "") -> "Page":
        """Put a text field 150 points wide on a line of text, with what was filled in."""
        box = (x, y - 3, x + 150, y + 11)
        entries = entries or f"/T (Text{len(self.annotations)})"
        return self.annotate("Widget", box, f"/FT /Tx /V {pdf_text(value)} {entries}")

    def check(self, x: float, y: float, *, is_on: bool) -> "Page":
        """Put a box to check on a line of text."""
        state = "Yes" if is_on else "Off"
        name = f"/T (Box{len(self.annotations)})"
        box = (x, y - 2, x + 10, y + 8)
        return self.annotate("Widget", box, f"/FT /Btn {name} /V /{state} /AS /{state}")

    def text(self, *lines: str, x: float = 60, y: float = TOP) -> float:
        """Put lines below each other; return where the next one would stand."""
        for line in lines:
            self.put(x, y, line)
            y -= LEADING
        return y

    def rows(
        self, rows: Iterable[Sequence[str]], lefts: Sequence[float], *, y: float = TOP
    ) -> float:
        """Put rows of cells whose columns begin there; return where the next one would stand."""
        for row in rows:
            for left, cell in zip(lefts, row, strict=True):
                if cell:
                    self.put(left, y, cell)
            y -= LEADING
        return y

    def grid(self, across: Sequence[float], down: Sequence[float]) -> None:
        """Draw lines around cells."""
        self.lines += [(down[0], y, down[-1], y) for y in across]
        self.lines += [(x, across[0], x, across[-1]) for x in down]


def placed_pdf(*pages: Page, catalog: str = "") -> bytes:
    """Return a PDF of these pages; Han is written in a font that readers have.

    Args:
        pages: What stands on them.
        catalog: Entries of the catalog; without, the fields of the pages are its form.
    """
    kids = " ".join(f"{5 + 2 * n} 0 R" for n in range(len(pages)))
    first = 5 + 2 * len(pages)
    annotations = [one for page in pages for one in page.annotations]
    fields = [f"{first + n} 0 R" for n, one in enumerate(annotations) if "/Widget" in one]
    form = f"/AcroForm << /Fields [{' '.join(fields)}] >>" if fields else ""
    objects = [
        f"<< /Type /Catalog /Pages 2 0 R {catalog or form} >>".encode(),
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        _HAN_FONT,
    ]
    for n, page in enumerate(pages):
        stream = "\n".join([*map(_words, page.words), *map(_line, page.lines)]).encode()
        stream += b"\n0 0 50 50 re f" if page.has_picture else b""
        stream = _turn(page.degrees) + stream if page.degrees else stream
        own = " ".join(f"{first + n} 0 R" for n in range(len(page.annotations)))
        first += len(page.annotations)
        objects += [
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {6 + 2 * n} 0 R "
            f"/Rotate {page.rotate} /Annots [{own}] "
            "/Resources << /Font << /F1 3 0 R /F2 4 0 R >> >> >>".encode(),
            f"<< /Length {len(stream)} >>\nstream\n".encode() + stream + b"\nendstream",
        ]
    return pdf_file([*objects, *(one.encode("latin-1") for one in annotations)], "")


def pdf_text(words: str) -> str:
    """Return words as a string of a PDF."""
    return f"<feff{words.encode('utf-16-be').hex()}>"


def _turn(degrees: float) -> bytes:
    """Return what turns all that follows around the middle of the page."""
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    x, y = 306, 396
    right, up = x - cosine * x + sine * y, y - sine * x - cosine * y
    return f"{cosine:.6f} {sine:.6f} {-sine:.6f} {cosine:.6f} {right:.3f} {up:.3f} cm\n".encode()


def _words(words: tuple[float, float, str, float]) -> str:
    x, y, text, size = words
    if text.isascii():
        font, shown = "F1", "(" + "".join(f"\\{c}" if c in "()\\" else c for c in text) + ")"
    elif max(text) <= "\xff" or "•" in text or "€" in text:
        font, shown = "F1", f"<{text.encode('cp1252').hex()}>"
    else:
        font, shown = "F2", f"<{text.encode('utf-16-be').hex()}>"
    return f"BT /{font} {size} Tf {x} {y} Td {shown} Tj ET"


def _line(line: tuple[float, float, float, float]) -> str:
    return f"0.5 w {line[0]} {line[1]} m {line[2]} {line[3]} l S"


def drawn_pdf(*streams: str, inside: str = "", entries: str = "") -> bytes:
    """Return a PDF of pages that these operators draw.

    Args:
        streams: Of each page. They may name `/F1` (Helvetica), `/Scan` (a picture), `/Clear` (ink
            of no strength), `/Shades` (a pattern from red to blue) and `/Form`.
        inside: What draws the form.
        entries: More of each page.
    """
    kids = " ".join(f"{8 + 2 * n} 0 R" for n in range(len(streams)))
    named = (
        "<< /Font << /F1 3 0 R >> /XObject << /Scan 4 0 R /Form 5 0 R >> "
        "/ExtGState << /Clear 6 0 R >> /Pattern << /Shades 7 0 R >> >>"
    )
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(streams)} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        _stream(
            "@@@", "/Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceRGB /BitsPerComponent 8"
        ),
        _stream(inside, f"/Subtype /Form /BBox [0 0 2000 2000] /Resources {named}"),
        "<< /ca 0 /CA 0 >>",
        "<< /PatternType 2 /Shading << /ShadingType 2 /ColorSpace /DeviceRGB /Coords [0 0 600 0] "
        "/Extend [true true] "
        "/Function << /FunctionType 2 /Domain [0 1] /C0 [1 0 0] /C1 [0 0 1] /N 1 >> >> >>",
    ]
    for n, stream in enumerate(streams):
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {9 + 2 * n} 0 R "
            f"/Resources {named} {entries} >>"
        )
        objects.append(_stream(stream))
    return pdf_file([one.encode("latin-1") for one in objects])


def _stream(content: str, entries: str = "") -> str:
    return f"<< /Length {len(content)} {entries} >>\nstream\n{content}\nendstream"
