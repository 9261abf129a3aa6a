"""Pictures of text, drawn: pages as a scanner makes them, and files of every kind.

It knows how letters and scans look; it does not know who reads them.
"""

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

DPI = 150
LEADING = 1.5  # from line to line, in heights of a letter
PAPER, INK = 235, 40  # grey, as scans are
EDGE = 60  # pixels around the text
_WORD = re.compile(r"[^\s\u2e80-\uffef]+\s*|.")  # a word with its space, or one Han letter


@dataclass(frozen=True)
class Print:
    """How a page is printed and scanned.

    Attributes:
        font: Name of a font's file; None: the one of Pillow, which has no Han letters.
        face: Which of the fonts in that file.
        lean: Degrees, anticlockwise.
        grain: Noise, in levels of grey (standard deviation).
    """

    font: str | None = None
    face: int = 0
    points: float = 11
    size: tuple[int, int] = (1_000, 700)
    lean: float = 0
    grain: float = 0

    @property
    def pixels(self) -> float:
        """Return how high a letter is."""
        return self.points * DPI / 72

    @property
    def lines(self) -> int:
        """Return how many lines stand one below the other."""
        return int((self.size[1] - 2 * EDGE) / (self.pixels * LEADING))

    def letters(self) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
        """Return the font, loaded."""
        if self.font is None:
            return ImageFont.load_default(self.pixels)
        return ImageFont.truetype(self.font, round(self.pixels), index=self.face)


def page(lines: Sequence[str], how: Print = Print()) -> Image.Image:
    """Return a grey page with lines of text."""
    return columns([lines], how)


def columns(texts: Sequence[Sequence[str]], how: Print = Print()) -> Image.Image:
    """Return a grey page with columns of lines, as wide as each other."""
    made = Image.new("L", how.size, PAPER)
    draw, letters = ImageDraw.Draw(made), how.letters()
    width = (how.size[0] - EDGE) / max(1, len(texts))
    for number, lines in enumerate(texts):
        for line, text in enumerate(lines):
            place = (EDGE + number * width, EDGE + line * how.pixels * LEADING)
            draw.text(place, text, font=letters, fill=INK)
    return grained(made.rotate(how.lean, Image.Resampling.BICUBIC, fillcolor=PAPER), how.grain)


def wrapped(text: str, how: Print, count: int) -> Iterator[str]:
    """Yield the lines of a text as they fit into one of `count` columns."""
    letters, width = how.letters(), (how.size[0] - EDGE) / count - EDGE
    line = ""
    for word in _WORD.findall(text):
        if letters.getlength(f"{line}{word.rstrip()}") > width and line:
            yield line.rstrip()
            line = ""
        line += word
    yield line.rstrip()


def grained(picture: Image.Image, grain: float, seed: int = 0) -> Image.Image:
    """Return a picture with noise on it."""
    if not grain:
        return picture
    noise = np.random.default_rng(seed).normal(0, grain, (picture.height, picture.width))
    return Image.fromarray((np.asarray(picture) + noise).clip(0, 255).astype(np.uint8))


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
    return saved(page(lines, Print(size=(1_000, 120 + 40 * len(lines)))), kind)


def without_text(seed: int, size: tuple[int, int] = (1_240, 1_754)) -> Image.Image:
    """Return what holds no text: an empty scan (even seeds), or shapes and clouds as of a photo."""
    chance = np.random.default_rng(seed)
    if seed % 2 == 0:
        shade = np.linspace(PAPER, chance.integers(120, PAPER), size[0])
        sheet = np.tile(shade, (size[1], 1)).astype(np.uint8)
        return grained(Image.fromarray(sheet), float(chance.uniform(2, 14)), seed)
    clouds = Image.fromarray(chance.integers(0, 256, (12, 9), np.uint8)).resize(size)
    draw = ImageDraw.Draw(clouds)
    for _ in range(chance.integers(5, 40)):
        x, y, wide, high = map(int, chance.integers((0, 0, 10, 10), (*size, 500, 500)))
        shape = draw.ellipse if chance.random() < 0.5 else draw.rectangle
        shape((x, y, x + wide, y + high), fill=int(chance.integers(0, 256)))
        draw.line((x, y, high, wide), fill=30, width=int(wide // 50 + 1))
    return grained(clouds, float(chance.uniform(0, 12)), seed)
