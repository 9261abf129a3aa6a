"""Picture files: every kind of pixels is read, and what is broken or too large is refused."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from knowledge import (
    DamagedFile,
    KnowledgeError,
    NoTextLayer,
    ParseLimitExceeded,
    UnsupportedFile,
    parse,
)
from knowledge.parsing.recognition.page import PagePicture
from knowledge.parsing.recognition.pictures import open_pictures, page_count, pages_of
from tests.fakes import pictures
from tests.fakes.pictures import saved

PIXELS = 25_000_000
SMALL = Image.new("L", (40, 30), 200)
DARK = Image.new("L", (40, 30), 0)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def bomb() -> bytes:
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    data = chunk(b"IDAT", zlib.compress(bytes(10_000_000)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + data + chunk(b"IEND", b"")


def transparent() -> Image.Image:
    made = Image.new("RGBA", (40, 30), (0, 0, 0, 0))
    made.putpixel((5, 5), (0, 0, 0, 255))
    return made


def exif(turn: int) -> Image.Exif:
    made = Image.Exif()
    made[0x0112] = turn
    return made


def pixels_of(name: str, content: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    opened = open_pictures(name, content)
    (page,) = pages_of(name, opened, [1], most_pixels=PIXELS)
    assert isinstance(page, PagePicture)
    return page.pixels


WIDE = Image.fromarray(np.full((30, 40), 200 * 257, np.uint16))
KINDS = [
    ("grey.png", saved(SMALL, "PNG"), 200),
    ("wide.png", saved(WIDE, "PNG"), 200),
    ("wide.tif", saved(WIDE, "TIFF"), 200),
    ("float.tif", saved(Image.fromarray(np.full((30, 40), 200, np.float32)), "TIFF"), 200),
    ("cmyk.jpg", saved(SMALL.convert("CMYK"), "JPEG"), 200),
    ("palette.png", saved(SMALL.convert("P"), "PNG"), 200),
    ("fax.tif", saved(Image.new("1", (40, 30), 1), "TIFF", compression="group4"), 255),
    ("clear.png", saved(transparent(), "PNG"), 255),
    ("moving.webp", saved(SMALL, "WEBP", save_all=True, append_images=[DARK]), 200),
]


@pytest.mark.parametrize(("name", "content", "level"), KINDS, ids=[row[0] for row in KINDS])
def test_every_kind_of_pixels_is_shown_on_white_paper(
    name: str, content: bytes, level: int
) -> None:
    shown = pixels_of(name, content)
    assert shown.shape == (30, 40, 3)
    assert abs(int(shown[20, 20, 0]) - level) <= 3


def test_a_photo_is_turned_as_its_camera_says() -> None:
    assert pixels_of("a.jpg", saved(SMALL, "JPEG", exif=exif(6))).shape == (40, 30, 3)


def test_a_broken_page_of_many_is_told_and_the_others_are_shown() -> None:
    content = bytearray(pictures.tiff(SMALL, SMALL, SMALL))
    opened = open_pictures("a.tif", bytes(content))
    assert page_count(opened) == 3
    found = list(pages_of("a.tif", opened, [1, 2, 3, 9], most_pixels=PIXELS))
    assert [isinstance(page, PagePicture) for page in found] == [True, True, True, False]


HOSTILE: list[tuple[str, bytes, type[KnowledgeError]]] = [
    ("bomb.png", bomb(), ParseLimitExceeded),
    ("cut.png", saved(pictures.page(["Words"]), "PNG")[:600], DamagedFile),
    ("cut.jpg", saved(pictures.page(["Words"]), "JPEG")[:900], DamagedFile),
    ("text.png", b"plain words", UnsupportedFile),
    ("gif.png", saved(SMALL, "GIF"), UnsupportedFile),
    ("dot.png", saved(Image.new("L", (1, 1)), "PNG"), NoTextLayer),
    ("line.png", saved(Image.new("L", (1, 20_000)), "PNG"), NoTextLayer),
    ("pages.tif", pictures.tiff(*[Image.new("L", (8, 8), 255)] * 1_000), NoTextLayer),
]


@pytest.mark.parametrize(("name", "content", "error"), HOSTILE, ids=[row[0] for row in HOSTILE])
def test_a_hostile_picture_ends_in_a_typed_error(
    name: str, content: bytes, error: type[KnowledgeError]
) -> None:
    with pytest.raises(error) as caught:
        parse(name, content)
    assert type(caught.value) is error
