"""Memory, time and cost before anything is built: the formulas, and the figures of one case."""

from router.advice.estimates.figures import (
    DEFAULTS,
    FORMULAS,
    POSITIVE,
    Estimates,
    Input,
    Serving,
    Training,
    estimate,
)

__all__ = [
    "DEFAULTS",
    "FORMULAS",
    "POSITIVE",
    "Estimates",
    "Input",
    "Serving",
    "Training",
    "estimate",
]
