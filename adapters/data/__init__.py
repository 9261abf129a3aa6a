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
from adapters.data.copies import common_answers, count_distinct, hold_out
from adapters.data.formats import load_rows
from adapters.data.long_text import FittedPrompt, TokenCounter, fit_prompt
from adapters.data.pairs import load_pairs
from adapters.data.relevance import Domain
from adapters.data.rows import Example, Message, Pair, Row, hash_rows, to_examples

__all__ = [
    "ContextCounts",
    "ContextMix",
    "ContextQuestion",
    "ContextRows",
    "DataCheck",
    "Distractors",
    "Domain",
    "Example",
    "Expectations",
    "FittedPrompt",
    "Message",
    "Pair",
    "Row",
    "TokenCounter",
    "build_context_rows",
    "check_rows",
    "common_answers",
    "count_context",
    "count_distinct",
    "fit_prompt",
    "hash_rows",
    "hold_out",
    "load_pairs",
    "load_rows",
    "parse_any_rows",
    "to_examples",
]
