"""One line of text, cut out of its page, as letters.

It knows how a line is shown to the network and how its answer is read (connectionist temporal
classification: equal letters in a row count once); it does not know where lines stand.
"""

import math
import re
from typing import NamedTuple

import cv2
import numpy as np

from knowledge.parsing.recognition.detection import Spot, shown
from knowledge.parsing.recognition.models import Floats, Models, Picture

HEIGHT = 48  # pixels of a line, as the network was trained
NARROWEST = 320  # … and the width that a shorter line is filled up to
WIDEST = 4_000  # twice what a line of small print over a whole page takes; a rule takes more
_OPENED = re.compile(r"(?<=\w)([(\[]) (?=\w)")  # the network puts a space after, not before


class Letters(NamedTuple):
    """What a line says, and how sure the network is: the mean over its letters, 0..1."""

    text: str
    confidence: float


def read_spot(models: Models, picture: Picture, spot: Spot) -> Letters:
    """Return what stands in one place of a picture."""
    line = _cut_out(picture, spot)
    height, width = line.shape[:2]
    wide = min(WIDEST, max(1, math.ceil(HEIGHT * width / height)))
    pixels = np.zeros((1, 3, HEIGHT, max(wide, NARROWEST)), np.float32)
    pixels[:, :, :, :wide] = shown(line, wide, HEIGHT)
    return _letters(models, models.read(pixels))


def _cut_out(picture: Picture, spot: Spot) -> Picture:
    """Return a line made level."""
    width, height = max(1, round(spot.width)), max(1, round(spot.height))
    level = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    turn = cv2.getPerspectiveTransform(spot.corners, level)
    return cv2.warpPerspective(
        picture, turn, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )  # type: ignore[return-value]  # cv2 says any number type; it is that of the picture


def _letters(models: Models, likely: Floats) -> Letters:
    best = likely.argmax(axis=1)
    is_letter = best != 0
    is_letter[1:] &= best[1:] != best[:-1]
    if not is_letter.any():
        return Letters("", 0.0)
    text = "".join(models.letters[number] for number in best[is_letter])
    text = _OPENED.sub(r" \1", text.strip())
    return Letters(text, float(likely.max(axis=1)[is_letter].mean()))
