"""Pages whose text runs up, down, upside down or askew, turned upright before they are read.

It knows which way most letters of a page run; it does not know lines or tables. All that reads a
page takes its text to run from left to right: a turned table has no rows, and on a page 2 degrees
askew the ends of a row stand on the next one.
"""

import math
from collections import Counter
from typing import NamedTuple

import pypdfium2
from pypdfium2 import raw

from knowledge.parsing.pdf.places import Box, Turn

SAMPLES = 16  # letters of a page whose direction is asked for, at a hundredth of its reading
LEAST_SHARE = 0.5  # of those: more run the same way
LEAST_DEGREES = 0.4  # less moves the end of a line by 3 points, half of a letter


class OpenPage(NamedTuple):
    """A page, its text, and what turned it."""

    page: pypdfium2.PdfPage
    layer: pypdfium2.PdfTextPage
    turn: Turn | None


def open_upright(document: pypdfium2.PdfDocument, number: int) -> OpenPage:
    """Return a page, from 0, whose text runs from left to right; to be closed by the caller.

    A page without text stays as it is.
    """
    page = document[number]
    layer = page.get_textpage()
    degrees = _degrees(layer)
    is_sideways = raw.FPDFPage_GetRotation(page) and layer.count_chars()
    if abs(degrees) < LEAST_DEGREES and not is_sideways:
        return OpenPage(page, layer, None)
    turn = _turn_back(degrees)
    left, bottom, right, top = turn.box(Box(*page.get_bbox()))
    is_turned = raw.FPDFPage_TransFormWithClip(page, raw.FS_MATRIX(*turn), None)
    if not is_turned:
        return OpenPage(page, layer, None)
    raw.FPDFPage_SetRotation(page, 0)  # else pdfium orders words as they would be shown by it
    page.set_mediabox(left, bottom, right, top)
    page.set_cropbox(left, bottom, right, top)
    layer.close()
    page.close()
    page = document[number]
    return OpenPage(page, page.get_textpage(), turn)


def _degrees(layer: pypdfium2.PdfTextPage) -> float:
    """Return by how much most letters run upwards, from -180 to 180."""
    count = layer.count_chars()
    matrix = raw.FS_MATRIX()
    found: list[float] = []
    for index in range(0, count, 1 + count // SAMPLES):
        is_known = raw.FPDFText_GetMatrix(layer, index, matrix)
        if is_known and matrix.a * matrix.d > matrix.b * matrix.c:  # else it is mirrored
            found.append(math.degrees(math.atan2(matrix.b, matrix.a)))
    if not any(found):
        return 0.0
    counts = Counter(round(degrees) % 360 for degrees in found)
    most = max(counts, key=counts.__getitem__)  # `most_common` imports, which is forbidden here
    near = [off for degrees in found if abs(off := (degrees - most + 180) % 360 - 180) <= 1]
    if len(near) <= LEAST_SHARE * len(found):
        return 0.0
    return (most + sum(near) / len(near) + 180) % 360 - 180


def _turn_back(degrees: float) -> Turn:
    turned = math.radians(-degrees)
    cosine, sine = math.cos(turned), math.sin(turned)
    return Turn(cosine, sine, -sine, cosine, 0.0, 0.0)
