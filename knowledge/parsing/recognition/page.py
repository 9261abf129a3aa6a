"""One page as a picture in, its lines of text out.

It knows the steps: find lines, turn the page upright, read each line, put them in order. It does
not know files.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from knowledge.parsing.pdf.lines import Word, median
from knowledge.parsing.recognition.detection import Spot, find_spots
from knowledge.parsing.recognition.letters import Letters, read_spot
from knowledge.parsing.recognition.models import Models, Picture
from knowledge.parsing.recognition.order import Placed, reading_order

LEAST_LINE = 0.6  # a line that the network is less sure of is no text, or none that helps
LEAST_PAGE = 0.8
"""Likewise all letters of a page, on average. Pages small, noisy, blurred or faint read with
at most 7 % of the letters wrong had 0.92 or more, one with 75 % 0.73, scribbles up to 0.74."""
SURE = 0.85  # mean confidence from which a page is taken to stand upright
ASKED = 5  # of the longest lines, to find out which way up a page is
UPRIGHT = 1.5  # times as high as wide: such a line runs up or down
LEAST_LETTERS = 3  # of a page, a Han letter counting twice; of 100 photo-like pictures one had a 2
SHAPES = frozenset("0OoIl1iJjLTUVXxvC一二三十口日田回中工土王丁上下卜厂")
HAN = "\u2e80"  # where the letters begin that are as wide as two
POINTS = 72.0  # an inch


@dataclass(frozen=True, slots=True)
class PagePicture:
    """A page, and how many of its pixels make an inch."""

    pixels: Picture
    dpi: float


@dataclass(frozen=True, slots=True)
class RecognisedPage:
    """What was read of a page.

    Attributes:
        lines: Rows in reading order, each of words with their place in points; none were read if
            `why` says why.
        confidence: Of all letters, 0..1, on average.
    """

    lines: tuple[tuple[Word, ...], ...]
    confidence: float
    why: str = ""


def recognise(models: Models, page: PagePicture) -> RecognisedPage:
    """Return the lines of a page, or why there are none."""
    pixels = page.pixels
    spots = find_spots(models, pixels)
    if _runs_upwards(spots):
        pixels = _quarter(pixels)
        spots = find_spots(models, pixels)
    pixels, spots = _right_way_up(models, pixels, spots)
    read = [(spot, read_spot(models, pixels, spot)) for spot in spots]
    read = [(spot, letters) for spot, letters in read if letters.text]
    sure = [(spot, letters) for spot, letters in read if letters.confidence >= LEAST_LINE]
    confidence = _confidence([letters for _, letters in read])
    if not read or confidence >= LEAST_PAGE and _are_shapes([one.text for _, one in sure]):
        return RecognisedPage((), 0.0, "no text was recognised on it")
    if confidence < LEAST_PAGE:
        why = f"its text was recognised too unsurely: confidence {confidence:.2f}"
        return RecognisedPage((), confidence, f"{why}, at least {LEAST_PAGE} is needed")
    height, width = pixels.shape[:2]
    rows = reading_order(_level(sure, width, height))
    scale = POINTS / page.dpi
    lines = tuple(tuple(_word(piece, height, scale) for piece in row) for row in rows)
    return RecognisedPage(lines, _confidence([letters for _, letters in sure]))


def example() -> PagePicture:
    """Return a small page with a word on it."""
    pixels = np.full((96, 256, 3), 255, np.uint8)
    cv2.putText(pixels, "Page", (64, 64), cv2.FONT_HERSHEY_SIMPLEX, 1.5, (0, 0, 0), 3)
    return PagePicture(pixels, POINTS)


def _runs_upwards(spots: Sequence[Spot]) -> bool:
    """Whether most of what is written runs up or down the page."""
    upwards = sum(spot.height for spot in spots if spot.height > UPRIGHT * spot.width)
    level = sum(spot.width for spot in spots if spot.width > UPRIGHT * spot.height)
    return upwards > level


def _are_shapes(texts: Sequence[str]) -> bool:
    """Whether all that was read of a page are one or two letters, or such as shapes look like."""
    letters = [letter for text in texts for letter in text if letter.isalnum()]
    return sum(1 + (letter > HAN) for letter in letters if letter not in SHAPES) < LEAST_LETTERS


def _quarter(pixels: Picture) -> Picture:
    return np.ascontiguousarray(cv2.rotate(pixels, cv2.ROTATE_90_COUNTERCLOCKWISE), np.uint8)


def _right_way_up(models: Models, pixels: Picture, spots: list[Spot]) -> tuple[Picture, list[Spot]]:
    """Turn a page that is upside down; a page that reads well is left as it is."""
    longest = sorted(spots, key=lambda spot: -spot.width)[:ASKED]
    if not longest:
        return pixels, spots
    before = _confidence([read_spot(models, pixels, spot) for spot in longest])
    if before >= SURE:
        return pixels, spots
    height, width = pixels.shape[:2]
    turned = np.ascontiguousarray(pixels[::-1, ::-1])
    size = np.array([width, height], np.float32)
    others = [Spot(size - np.roll(spot.corners, 2, axis=0)) for spot in longest]
    if _confidence([read_spot(models, turned, spot) for spot in others]) <= before:
        return pixels, spots
    return turned, [Spot(size - np.roll(spot.corners, 2, axis=0)) for spot in spots]


def _confidence(lines: Sequence[Letters]) -> float:
    """Return the mean over all letters."""
    count = sum(len(line.text) for line in lines)
    return sum(line.confidence * len(line.text) for line in lines) / count if count else 0.0


def _level(read: Sequence[tuple[Spot, Letters]], width: int, height: int) -> list[Placed]:
    """Return words where they would stand if the page did not lean."""
    leans = [_lean(spot) for spot, _ in read if spot.width > 3 * spot.height]
    lean = median(leans) if leans else 0.0
    cosine, sine = math.cos(lean), math.sin(lean)
    placed: list[Placed] = []
    for spot, letters in read:
        x, y = spot.corners.mean(axis=0) - (width / 2, height / 2)
        across, down = x * cosine + y * sine + width / 2, y * cosine - x * sine + height / 2
        wide, high = spot.width / 2, spot.height / 2
        box = (across - wide, down - high, across + wide, down + high)
        placed.append(Placed(letters.text, *map(float, box)))
    return placed


def _lean(spot: Spot) -> float:
    x, y = spot.corners[1] - spot.corners[0]
    return math.atan2(float(y), float(x))


def _word(piece: Placed, height: int, scale: float) -> Word:
    """Return a piece in points from the lower left."""
    text, left, top, right, bottom = piece
    return Word(
        text, left * scale, right * scale, (height - bottom) * scale, (height - top) * scale
    )
