"""PNG, JPEG, TIFF and WebP: files to pages that are pictures, one by one.

It knows files, kinds of pixels and how a picture is to be turned; it does not know text. The size
is read from the header: a picture of too many pixels is never inflated.
"""

import io
from collections.abc import Iterator, Sequence

import numpy as np
from PIL import (
    Image,
    ImageCms,
    ImageOps,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
    features,
)

from knowledge.errors import DamagedFile, KnowledgeError, ParseLimitExceeded, UnsupportedFile
from knowledge.parsing.recognition.models import Picture
from knowledge.parsing.recognition.page import PagePicture

LOADED = (
    ImageCms, JpegImagePlugin, MpoImagePlugin, PngImagePlugin, TiffImagePlugin, WebPImagePlugin,
)  # fmt: skip
"""What Pillow would load when it meets their files, which is too late in a child without rights."""
KINDS = ("PNG", "JPEG", "TIFF", "WEBP")
WIDE = ("I;16", "I;16B", "I;16L", "I")  # 16 bits a pixel
ASSUMED_DPI = 150.0  # where a file does not say: only the size of letters in points depends on it
BROKEN = (OSError, ValueError, SyntaxError, EOFError, KeyError, TypeError, IndexError)
"""What Pillow raises for a broken file."""


def warm_up() -> None:
    """Load what Pillow would load at first use, and leave sizes to `_page`."""
    Image.preinit()
    features.check("webp")
    Image.MAX_IMAGE_PIXELS = None


def open_pictures(filename: str, content: bytes) -> Image.Image:
    """Open a file without decoding it.

    Raises:
        UnsupportedFile: It is no picture of these kinds.
        DamagedFile: Its header is broken.
    """
    try:
        return Image.open(io.BytesIO(content), formats=KINDS)
    except UnidentifiedImageError as exc:
        raise UnsupportedFile(
            f"{filename!r} is no PNG, JPEG, TIFF or WebP picture, despite its name"
        ) from exc
    except BROKEN as exc:
        raise DamagedFile(f"{filename!r} is damaged: {exc}") from exc


def page_count(picture: Image.Image) -> int:
    """Return how many pages, or pictures of a moving one, a file has."""
    try:
        return 1 if picture.format == "MPO" else int(getattr(picture, "n_frames", 1))
    except BROKEN:
        return 1  # the chain of its pages is broken: the first may be whole


def pages_of(
    filename: str, picture: Image.Image, numbers: Sequence[int], *, most_pixels: int
) -> Iterator[PagePicture | str]:
    """Yield these pages (1, 2, …), or why one is not shown.

    Raises:
        ParseLimitExceeded, DamagedFile: Of a file that is one page.
    """
    for number in numbers:
        try:
            picture.seek(number - 1)
            yield _page(picture, most_pixels)
        except (*BROKEN, KnowledgeError) as exc:
            why = str(exc) if isinstance(exc, KnowledgeError) else f"it is damaged: {exc}"
            if picture.format != "TIFF":
                kind = type(exc) if isinstance(exc, KnowledgeError) else DamagedFile
                raise kind(f"{filename!r}: {why}") from exc
            yield why


def _page(picture: Image.Image, most_pixels: int) -> PagePicture:
    width, height = picture.size
    if width * height > most_pixels:
        raise ParseLimitExceeded(
            f"it has {width} x {height} pixels; at most {most_pixels:,} (knowledge.ocr_pixels): "
            "save it smaller"
        )
    return PagePicture(_pixels(ImageOps.exif_transpose(picture)), _dpi(picture))


def _pixels(picture: Image.Image) -> Picture:
    """Return the pixels, blue first, without what is transparent: paper is white."""
    if picture.mode in WIDE:
        wide = np.asarray(picture).astype(np.int64)
        grey = np.clip(wide >> 8 if wide.max(initial=0) > 255 else wide, 0, 255).astype(np.uint8)
        return np.ascontiguousarray(np.repeat(grey[:, :, None], 3, axis=2))
    if picture.mode == "F":
        picture = picture.convert("L")
    if picture.mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in picture.info:
        shown = picture.convert("RGBA")
        picture = Image.new("RGB", shown.size, "white")
        picture.paste(shown, mask=shown.getchannel("A"))
    return np.ascontiguousarray(np.asarray(picture.convert("RGB"))[:, :, ::-1])


def _dpi(picture: Image.Image) -> float:
    dpi = picture.info.get("dpi")
    across = float(dpi[0]) if isinstance(dpi, tuple) and dpi else 0.0
    return across if 50 <= across <= 1_200 else ASSUMED_DPI
