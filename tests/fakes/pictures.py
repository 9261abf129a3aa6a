"""Pictures of text, drawn: pages as a scanner makes them, and files of every kind.

It knows how letters and scans look; it does not know who reads them.
"""

import io
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

DPI = 150
LEADING = 1.5  # from line to line, in heights of a letter
PAPER, INK = 235, 40  # grey, as scans are


def page(
    lines: Sequence[str],
    *,
    points: float = 11,
    size: tuple[int, int] = (1_000, 700),
    lean: float = 0,
) -> Image.Image:
    """Return a grey page with lines of text; `lean`: degrees, anticlockwise."""
    return columns([lines], points=points, size=size, lean=lean)


def columns(
    texts: Sequence[Sequence[str]],
    *,
    points: float = 11,
    size: tuple[int, int] = (1_000, 700),
    lean: float = 0,
) -> Image.Image:
    """Return a grey page with columns of lines, as wide as each other."""
    height = points * DPI / 72
    font = ImageFont.load_default(height)
    made = Image.new("L", size, PAPER)
    draw = ImageDraw.Draw(made)
    width = (size[0] - 80) / max(1, len(texts))
    for number, lines in enumerate(texts):
        for line, text in enumerate(lines):
            place = (60 + number * width, 60 + line * height * LEADING)
            draw.text(place, text, font=font, fill=INK)
    return made.rotate(lean, Image.Resampling.BICUBIC, fillcolor=PAPER)


def saved(picture: Image.Image, kind: str, **how: object) -> bytes:
    """Return a file of a kind (`PNG`, `TIFF`, …)."""
    out = io.BytesIO()
    picture.save(out, kind, **how)
    return out.getvalue()


def tiff(*pages: Image.Image) -> bytes:
    """Return a TIFF of many pages."""
    return saved(pages[0], "TIFF", save_all=True, append_images=pages[1:], compression="tiff_lzw")


def scanned_pdf(*pages: Image.Image) -> bytes:
    """Return a PDF whose pages are pictures."""
    return saved(pages[0], "PDF", save_all=True, append_images=pages[1:], resolution=DPI)


def with_text(kind: str, text: str) -> bytes:
    """Return a small picture of a text, ten words a line."""
    words = text.split()
    lines = [" ".join(words[start : start + 10]) for start in range(0, len(words), 10)]
    return saved(page(lines, size=(1_000, 120 + 40 * len(lines))), kind)
