"""Places on a page: boxes, what turns them upright, and the words pdfium says about what is there.

It knows points from the lower left of a page; it does not know what stands at them.
"""

import ctypes
from collections.abc import Callable
from typing import NamedTuple

from pypdfium2 import raw

_BYTES = dict(zip(map(ord, "•†‡…—–ƒ⁄‹›−‰„“”‘’‚™ﬁﬂŁŒŠŸŽıłœšž"), range(0x80, 0x9F), strict=True))
_BYTES |= {ord("€"): 0xA0}  # PDFDocEncoding: ISO 32000-1, D.2


class Box(NamedTuple):
    """A rectangle on a page, in points from its lower left."""

    left: float
    bottom: float
    right: float
    top: float

    @property
    def middle(self) -> tuple[float, float]:
        """Return the point in its middle."""
        return (self.left + self.right) / 2, (self.bottom + self.top) / 2

    def holds(self, point: tuple[float, float], margin: float = 0.0) -> bool:
        """Tell whether a point lies inside, or so near."""
        x, y = point
        return (
            self.left - margin <= x <= self.right + margin
            and self.bottom - margin <= y <= self.top + margin
        )


class Turn(NamedTuple):
    """What turns places on a page upright: a matrix as in ISO 32000-1, 8.3.3."""

    a: float
    b: float
    c: float
    d: float
    e: float
    f: float

    def box(self, box: Box) -> Box:
        """Return the smallest box around a turned one."""
        corners = [(x, y) for x in (box.left, box.right) for y in (box.bottom, box.top)]
        xs = [self.a * x + self.c * y + self.e for x, y in corners]
        ys = [self.b * x + self.d * y + self.f for x, y in corners]
        return Box(min(xs), min(ys), max(xs), max(ys))

    def then(self, after: "Turn") -> "Turn":
        """Return what turns as this does, and then as another."""
        return Turn(
            self.a * after.a + self.b * after.c,
            self.a * after.b + self.b * after.d,
            self.c * after.a + self.d * after.c,
            self.c * after.b + self.d * after.d,
            self.e * after.a + self.f * after.c + after.e,
            self.e * after.b + self.f * after.d + after.f,
        )


def text_of(call: Callable[..., int], *given: object) -> str:
    """Return what a call of pdfium writes as UTF-16 into a buffer, asked for its size first."""
    size = call(*given, None, 0)
    if size <= 2:
        return ""
    buffer = ctypes.create_string_buffer(size)
    call(*given, ctypes.cast(buffer, ctypes.POINTER(raw.FPDF_WCHAR)), size)
    return _repaired(buffer.raw[:size].decode("utf-16-le", "replace").rstrip("\0"))


def _repaired(words: str) -> str:
    """Return words that a program wrote as UTF-8 without saying so, read as UTF-8."""
    if words.isascii():
        return words
    try:
        return words.translate(_BYTES).encode("latin-1").decode()
    except UnicodeError:
        return words
