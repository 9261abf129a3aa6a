"""Training data: files of rows in the usual formats, read into one internal row."""

from adapters.data.checks import DataCheck, Expectations, check_rows, parse_any_rows
from adapters.data.context import ContextCounts, count_context
from adapters.data.context_rows import (
    ContextMix,
    ContextQuestion,
    ContextRows,
    Distractors,
    build_context_rows,
)
from adapters.data.filters import (
    ClassifierQuality,
    ClassifierSettings,
    FilterReport,
    KeywordSettings,
    PerplexitySettings,
    RowClassifier,
    Sample,
    ScoreFilter,
    SimilaritySettings,
    draw_histogram,
    filter_by_classifier,
    filter_by_keywords,
    filter_by_likeness,
    filter_by_perplexity,
    filter_by_similarity,
    filter_rows,
    fit_row_classifier,
)
from adapters.data.formats import load_rows
from adapters.data.long_text import FittedPrompt, TokenCounter, fit_prompt
from adapters.data.pairs import load_pairs
from adapters.data.passage_marks import PASSAGE_MARKS, PASSAGES_ARE_DATA
from adapters.data.relevance import Domain
from adapters.data.rows import Example, Message, Pair, Row, hash_rows, hold_out, to_examples
from adapters.data.steps import Result

__all__ = [
    "PASSAGES_ARE_DATA",
    "PASSAGE_MARKS",
    "ClassifierQuality",
    "ClassifierSettings",
    "ContextCounts",
    "ContextMix",
    "ContextQuestion",
    "ContextRows",
    "DataCheck",
    "Distractors",
    "Domain",
    "Example",
    "Expectations",
    "FilterReport",
    "FittedPrompt",
    "KeywordSettings",
    "Message",
    "Pair",
    "PerplexitySettings",
    "Result",
    "Row",
    "RowClassifier",
    "Sample",
    "ScoreFilter",
    "SimilaritySettings",
    "TokenCounter",
    "build_context_rows",
    "check_rows",
    "count_context",
    "draw_histogram",
    "filter_by_classifier",
    "filter_by_keywords",
    "filter_by_likeness",
    "filter_by_perplexity",
    "filter_by_similarity",
    "filter_rows",
    "fit_prompt",
    "fit_row_classifier",
    "hash_rows",
    "hold_out",
    "load_pairs",
    "load_rows",
    "parse_any_rows",
    "to_examples",
]
