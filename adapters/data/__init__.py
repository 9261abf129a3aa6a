"""Training data: files of rows in the usual formats, read into one internal row."""

from adapters.data.checks import DataCheck, Expectations, check_rows, parse_any_rows
from adapters.data.cleaning import (
    Cleaning,
    Deduplicate,
    DeduplicateSettings,
    Leakage,
    LeakageSettings,
    Near,
    NearSettings,
    Noise,
    NoiseSettings,
    Normalise,
    NormaliseSettings,
    Sample,
    Script,
    Similar,
    SimilarSettings,
    clean,
)
from adapters.data.context import ContextCounts, count_context
from adapters.data.context_rows import (
    ContextMix,
    ContextQuestion,
    ContextRows,
    Distractors,
    build_context_rows,
)
from adapters.data.formats import load_rows
from adapters.data.long_text import FittedPrompt, TokenCounter, fit_prompt
from adapters.data.pairs import load_pairs
from adapters.data.passage_marks import PASSAGE_MARKS, PASSAGES_ARE_DATA
from adapters.data.relevance import Domain
from adapters.data.rows import Example, Message, Pair, Row, hash_rows, hold_out, to_examples
from adapters.data.steps import Result, Step

__all__ = [
    "Cleaning",
    "ContextCounts",
    "ContextMix",
    "ContextQuestion",
    "ContextRows",
    "DataCheck",
    "Deduplicate",
    "DeduplicateSettings",
    "Distractors",
    "Domain",
    "Example",
    "Expectations",
    "FittedPrompt",
    "Leakage",
    "LeakageSettings",
    "Message",
    "Near",
    "NearSettings",
    "Noise",
    "NoiseSettings",
    "Normalise",
    "NormaliseSettings",
    "PASSAGES_ARE_DATA",
    "PASSAGE_MARKS",
    "Pair",
    "Result",
    "Row",
    "Sample",
    "Script",
    "Similar",
    "SimilarSettings",
    "Step",
    "TokenCounter",
    "build_context_rows",
    "check_rows",
    "clean",
    "count_context",
    "fit_prompt",
    "hash_rows",
    "hold_out",
    "load_pairs",
    "load_rows",
    "parse_any_rows",
    "to_examples",
]
