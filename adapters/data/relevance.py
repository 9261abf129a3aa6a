"""Do the rows belong to the use case? Compares each with a description of the domain.

What embeds is passed in. It does not know which texts are near by chance: that depends on the
embedder, so the minimum similarity comes with it and with its source.
"""

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from adapters.data.findings import Check, Status, first, show
from adapters.data.rows import Row

NEEDED_PERCENT = 90.0  # seeds of the project
# 400 rows tell a share of 90 % to within 3 points (95 % interval) and take an embedder seconds.
MAX_EMBEDDED = 400
MAX_CHARS = 2_000  # of a row: more than common embedders read (256 to 512 tokens)

Embed = Callable[[Sequence[str]], npt.NDArray[np.float32]]
"""Returns (n, d) float32, L2-normalised."""


@dataclass(frozen=True, slots=True)
class Domain:
    """What the rows are compared with.

    Attributes:
        description: What the use case is about, in a sentence or two.
        embed: Turns texts into vectors.
        min_similarity: Cosine from which a row belongs to the domain.
        source: Where that minimum comes from.
    """

    description: str
    embed: Embed
    min_similarity: float
    source: str


def check_relevance(rows: Sequence[Row], domain: Domain | str) -> Check:
    """Judge whether enough rows are near to the domain, on a sample of at most `MAX_EMBEDDED`.

    Args:
        rows: At least one.
        domain: What to compare with, or why there is nothing.
    """
    needed = f"at least {NEEDED_PERCENT:g} % of the rows close to the domain's description"
    if isinstance(domain, str):
        return Check("relevance", "unknown", None, "percent", needed, missing=domain)
    sample = sorted(random.Random(0).sample(range(len(rows)), min(len(rows), MAX_EMBEDDED)))
    texts = [said_in(rows[place])[:MAX_CHARS] for place in sample]
    vectors = domain.embed([domain.description, *texts])
    cosines = vectors[1:] @ vectors[0]  # (n_sample,) float32, -1..1
    far = [(rows[p], float(c)) for p, c in zip(sample, cosines, strict=True)]
    far = sorted((one for one in far if one[1] < domain.min_similarity), key=lambda one: one[1])
    near = len(sample) - len(far)
    value = round(100 * near / len(sample), 2)
    status: Status = "pass" if value >= NEEDED_PERCENT else "fail"
    low, high = _interval(near, len(sample)) if len(sample) < len(rows) else (value, value)
    return Check(
        "relevance",
        status,
        value,
        "percent",
        needed,
        missing=None if status == "pass" else _missing(near, len(sample), len(rows)),
        found=len(far),
        evidence=first(show(row, f"similarity {cosine:.2f}") for row, cosine in far),
        details={
            "sampled": len(sample),
            "percent_low": low,
            "percent_high": high,
            "min_similarity": domain.min_similarity,
            "min_similarity_source": domain.source,
            "similarity_quartiles": [
                round(float(q), 3) for q in np.quantile(cosines, (0.0, 0.25, 0.5, 0.75, 1.0))
            ],
        },
    )


def said_in(row: Row) -> str:
    """Return questions and answers; a system turn is the same in every row and tells nothing."""
    return "\n".join(turn.content for turn in row.messages if turn.role != "system")


def _missing(near: int, sampled: int, rows: int) -> str:
    relevant = rows * near / sampled
    # relevant of rows - out, or relevant + more of rows + more, must reach the share
    out = math.ceil(rows - relevant * 100 / NEEDED_PERCENT)
    more = math.ceil((rows * NEEDED_PERCENT - 100 * relevant) / (100 - NEEDED_PERCENT))
    about = "" if sampled == rows else "about "
    return (
        f"remove {about}{out} rows that are far from the domain, or add {about}{more} more "
        "that belong to it; if the rows shown do belong to it, improve the description"
    )


def _interval(part: int, whole: int) -> tuple[float, float]:
    """Return the 95 % interval of a share in percent (Wilson)."""
    z, share = 1.96, part / whole
    middle = (share + z * z / (2 * whole)) / (1 + z * z / whole)
    width = z / (1 + z * z / whole) * math.sqrt(share * (1 - share) / whole + (z / 2 / whole) ** 2)
    return round(100 * (middle - width), 2), round(100 * (middle + width), 2)
