"""Keeps rows that a base model predicts as well as rows of the domain.

Some rows of the domain stand before each text, so that the base model knows what is to come: that
takes the place of a model trained on the domain. What measures is passed in; it knows no model.
"""

import random
from collections.abc import Callable, Sequence
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from adapters.data.filters.threshold import ScoreFilter, Threshold
from adapters.data.relevance import said_in
from adapters.data.rows import Row, hash_rows
from adapters.errors import InvalidRowFilter

NAME = "perplexity"
WINDOW = 2_000  # rows for each start of a model: some seconds beside minutes
MAX_REFERENCE = 500  # rows of the domain; their median is then known to within 4.5 % of the rows
MIN_REFERENCE = 20  # beside the examples; of fewer the median is chance

MeasurePerplexity = Callable[[Sequence[str], Sequence[str]], Sequence[float | None]]
"""Takes texts, and examples that stand before each of them; None for a text without tokens."""


class PerplexitySettings(BaseModel):
    """Which perplexity goes on.

    Attributes:
        quantile: Of the perplexities of the domain's rows, which is the highest that goes on.
            0.5, the median, is the source's number: half of rows like the domain's go on.
        max_perplexity: That perplexity itself, instead.
        examples: Rows of the domain before each text; 0 measures the text alone.
        seed: Of the choice of examples and rows.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    quantile: Annotated[float, Field(gt=0, le=1)] = 0.5
    max_perplexity: Annotated[float, Field(ge=1)] | None = None
    examples: Annotated[int, Field(ge=0, le=8)] = 3
    seed: int = 0


def filter_by_perplexity(
    settings: PerplexitySettings,
    domain: Sequence[Row],
    measure: MeasurePerplexity,
    *,
    model_id: str,
) -> ScoreFilter:
    """Return the filter; without `max_perplexity` the rows of the domain are measured here.

    Args:
        settings: Which perplexity goes on.
        domain: Rows known to belong to the domain; at most `MAX_REFERENCE` of them are measured.
        measure: Measures texts; its errors pass.
        model_id: What identifies the base model.

    Raises:
        InvalidRowFilter: There are too few rows of the domain.
    """
    needed = settings.examples + (MIN_REFERENCE if settings.max_perplexity is None else 0)
    if len(domain) < needed:
        raise InvalidRowFilter(
            f"the perplexity filter needs {needed} rows of the domain, and there are {len(domain)}"
        )
    chosen = random.Random(settings.seed).sample(
        domain, min(len(domain), settings.examples + MAX_REFERENCE)
    )
    texts = [said_in(row) for row in chosen]
    examples, reference = texts[: settings.examples], texts[settings.examples :]
    if settings.max_perplexity is None:
        measured = [one for one in measure(reference, examples) if one is not None]
        limit = float(np.quantile(measured, settings.quantile))
        source = f"quantile {settings.quantile:g} of {len(measured)} rows of the domain"
    else:
        limit, source = settings.max_perplexity, "as set"
    own = {**settings.model_dump(), "model": model_id, "domain": hash_rows(chosen)}
    return ScoreFilter(
        NAME,
        Threshold(NAME, limit, False, "perplexity_too_high", source),
        lambda rows: measure([said_in(row) for row in rows], examples),
        settings=own,
        window=WINDOW,
    )
