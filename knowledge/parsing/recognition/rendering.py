"""Pages of a PDF as pictures.

It knows how a page is drawn and how large; it does not know text.
"""

from collections.abc import Iterable, Iterator

import numpy as np
import pypdfium2

from knowledge.parsing.recognition.page import POINTS, PagePicture

DPI = 200.0
"""Letters of 10 points are then 28 pixels high; the network reads lines of 48. Scans have 150 to
300, and finding lines costs the same for any."""


def rendered(
    document: pypdfium2.PdfDocument, numbers: Iterable[int], *, most_pixels: int
) -> Iterator[PagePicture | str]:
    """Yield these pages (0, 1, …), drawn upright, or why one cannot be drawn."""
    for number in numbers:
        try:
            page = document[number]
            width, height = page.get_size()
            fits = (most_pixels / max(1.0, width * height)) ** 0.5
            scale = min(DPI / POINTS, fits)
            drawn = page.render(scale=scale, may_draw_forms=False, rev_byteorder=False)
            pixels = np.ascontiguousarray(drawn.to_numpy()[:, :, :3], np.uint8)
            drawn.close()
            page.close()
        except (pypdfium2.PdfiumError, ValueError) as exc:
            yield f"it cannot be drawn: {exc}"
            continue
        yield PagePicture(pixels, scale * POINTS)
