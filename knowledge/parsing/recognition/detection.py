"""A page's lines of text: where they are.

It knows how a picture is shown to the network and what its answer means (differentiable
binarization, Liao et al. 2020; thresholds of PaddleOCR's PP-OCRv6); it does not know letters.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from knowledge.parsing.recognition.models import Floats, Models, Picture

Corners = npt.NDArray[
    np.float32
]  # (4, 2): x, y of upper left, upper right, lower right, lower left

LONGEST_SIDE = 1_600
"""Pixels of the longer side that the network sees. Wrong letters on 10 pages of 10.5 points: 960,
1,280 and 1,760 pixels 0.31, 0.32 and 0.36 %; 0.2, 0.5 and 1.4 s each; smaller print needs more."""
STRIP = 2.5  # times as high as wide: a screenshot of a whole page, too small if seen at once
NARROW = 200  # pixels; lines of anything narrower hold a word or two
SMALL, LARGEN = (
    800,
    2.0,
)  # pixels; a small picture is often a cutting of a screen: 10 pixels a letter
STEP = 32  # the network halves each side five times
IS_TEXT = 0.3  # of a pixel
IS_LINE = 0.5  # of the pixels of a line, on average
GROWS = 1.6  # the network finds the middle of a line: area * this / circumference is missing
SMALLEST = 3.0  # pixels; anything lower is dust
MOST_LINES = 1_000
GRAIN = 8.0
"""Levels of grey (standard deviation) of noise that every page is given: on clean white the network
does not see single lines. Its score of a line of 12 points alone on a page: 0.33 without, 0.73 to
0.80 with 4 to 12; a blank page then scores 0.27, 0.21 and nothing."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A rectangle with text in it, possibly leaning."""

    corners: Corners

    @property
    def width(self) -> float:
        """Its upper edge, in pixels."""
        return float(np.linalg.norm(self.corners[1] - self.corners[0]))

    @property
    def height(self) -> float:
        """Its left edge, in pixels."""
        return float(np.linalg.norm(self.corners[3] - self.corners[0]))


def shown(picture: Picture, width: int, height: int) -> Floats:
    """Return a picture as the networks see it, (1, 3, height, width) from -1 to 1."""
    scaled = cv2.resize(picture, (width, height)).astype(np.float32)
    return np.ascontiguousarray((scaled / 127.5 - 1).transpose(2, 0, 1)[None])


def find_spots(models: Models, picture: Picture) -> list[Spot]:
    """Return where text is, in no order. A long strip is looked at part by part."""
    spots: list[Spot] = []
    for top, bottom in _parts(picture):
        down = np.array([0, top], np.float32)
        found = _find(models, picture[top:bottom])
        spots += [Spot(spot.corners + down) for spot in found]
    return spots


def _parts(picture: Picture) -> Iterator[tuple[int, int]]:
    """Yield where to cut a picture that is much higher than wide: at rows without ink."""
    height, width = picture.shape[:2]
    top = 0
    while height - top > STRIP * width and width >= NARROW:
        near = picture[top + width : top + 2 * width, ::4, 0]
        quiet = int(near.std(axis=1).argmin())
        yield top, top + width + quiet
        top += width + quiet
    yield top, height


def _find(models: Models, picture: Picture) -> list[Spot]:
    height, width = picture.shape[:2]
    longest = max(height, width)
    scale = min(LARGEN if longest < SMALL else 1.0, LONGEST_SIDE / longest)
    seen = [max(STEP, round(side * scale / STEP) * STEP) for side in (width, height)]
    grain = np.random.default_rng(0).standard_normal(seen[::-1], np.float32) * (GRAIN / 127.5)
    likely = models.find(shown(picture, *seen) + grain)
    mask = cv2.dilate((likely > IS_TEXT).astype(np.uint8), np.ones((2, 2), np.uint8))
    outlines, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    factor = np.array([width / seen[0], height / seen[1]], np.float32)
    spots: list[Spot] = []
    for outline in outlines:
        if len(spots) == MOST_LINES:
            break
        middle, (side, other), angle = cv2.minAreaRect(outline)
        if min(side, other) < SMALLEST:
            continue
        if _mean(likely, cv2.boxPoints((middle, (side, other), angle))) < IS_LINE:
            continue
        grown = GROWS * side * other / (side + other)
        box = cv2.boxPoints((middle, (side + grown, other + grown), angle))
        spots.append(Spot(_in_order(box * factor)))
    return spots


def _mean(likely: Floats, box: npt.NDArray[Any]) -> float:
    """Return the mean inside a rectangle."""
    left, top = np.floor(box.min(axis=0)).astype(int).clip(0)
    right, bottom = np.ceil(box.max(axis=0)).astype(int) + 1
    part = likely[top:bottom, left:right]
    inside = np.zeros(part.shape, np.uint8)
    cv2.fillPoly(inside, [(box - (left, top)).astype(np.int32)], (1,))
    return float(cv2.mean(part, inside)[0])


def _in_order(box: npt.NDArray[Any]) -> Corners:
    """Return the corners of a rectangle from the upper left on, clockwise."""
    by_x = box[np.argsort(box[:, 0], kind="stable")]
    upper_left, lower_left = by_x[:2][np.argsort(by_x[:2, 1], kind="stable")]
    upper_right, lower_right = by_x[2:][np.argsort(by_x[2:, 1], kind="stable")]
    return np.array([upper_left, upper_right, lower_right, lower_left], np.float32)
