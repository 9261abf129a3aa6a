"""PDFs whose words and lines stand where a test puts them."""

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

    def put(self, x: float, y: float, text: str, size: float = SIZE) -> "Page":
        """Put words at a place, in points from the lower left."""
        self.words.append((x, y, text, size))
        return self

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


def placed_pdf(*pages: Page) -> bytes:
    """Return a PDF of these pages; Han is written in a font that readers have."""
    kids = " ".join(f"{5 + 2 * n} 0 R" for n in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        _HAN_FONT,
    ]
    for n, page in enumerate(pages):
        stream = "\n".join([*map(_words, page.words), *map(_line, page.lines)]).encode()
        stream += b"\n0 0 50 50 re f" if page.has_picture else b""
        objects += [
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {6 + 2 * n} 0 R "
            "/Resources << /Font << /F1 3 0 R /F2 4 0 R >> >> >>".encode(),
            f"<< /Length {len(stream)} >>\nstream\n".encode() + stream + b"\nendstream",
        ]
    return pdf_file(objects, "")


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
