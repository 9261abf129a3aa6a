"""Filters of rows: each scores a row and keeps it on one side of a threshold."""

from adapters.data.filters.chain import filter_rows
from adapters.data.filters.classifier import (
    ClassifierQuality,
    ClassifierSettings,
    RowClassifier,
    filter_by_classifier,
    fit_row_classifier,
)
from adapters.data.filters.histogram import draw_histogram
from adapters.data.filters.keywords import KeywordSettings, filter_by_keywords
from adapters.data.filters.perplexity import (
    MeasurePerplexity,
    PerplexitySettings,
    filter_by_perplexity,
)
from adapters.data.filters.report import FilterReport, ScoredRow
from adapters.data.filters.similarity import (
    SimilaritySettings,
    filter_by_likeness,
    filter_by_similarity,
)
from adapters.data.filters.threshold import ScoreFilter, Threshold

__all__ = [
    "ClassifierQuality",
    "ClassifierSettings",
    "FilterReport",
    "KeywordSettings",
    "MeasurePerplexity",
    "PerplexitySettings",
    "RowClassifier",
    "ScoredRow",
    "ScoreFilter",
    "SimilaritySettings",
    "Threshold",
    "draw_histogram",
    "filter_by_classifier",
    "filter_by_keywords",
    "filter_by_likeness",
    "filter_by_perplexity",
    "filter_by_similarity",
    "filter_rows",
    "fit_row_classifier",
]
