"""Training data: files of rows in the usual formats, read into one internal row."""

from adapters.data.checks import DataCheck, Expectations, check_rows
from adapters.data.context import ContextCounts, count_context
from adapters.data.context_rows import (
    ContextMix,
    ContextQuestion,
    ContextRows,
    Distractors,
    build_context_rows,
)
from adapters.data.formats import (
    Conversion,
    Refusal,
    RowFormat,
    convert_files,
    iter_rows,
    join_files,
    load_pairs,
    load_rows,
    parse_any_rows,
    refuse,
)
from adapters.data.long_text import FittedPrompt, TokenCounter, fit_prompt
from adapters.data.passage_marks import PASSAGE_MARKS, PASSAGES_ARE_DATA
from adapters.data.relevance import Domain
from adapters.data.rows import Example, Message, Pair, Row, hash_rows, hold_out, to_examples

__all__ = [
    "PASSAGES_ARE_DATA",
    "PASSAGE_MARKS",
    "ContextCounts",
    "ContextMix",
    "ContextQuestion",
    "ContextRows",
    "Conversion",
    "DataCheck",
    "Distractors",
    "Domain",
    "Example",
    "Expectations",
    "FittedPrompt",
    "Message",
    "Pair",
    "Refusal",
    "Row",
    "RowFormat",
    "TokenCounter",
    "build_context_rows",
    "check_rows",
    "convert_files",
    "count_context",
    "fit_prompt",
    "hash_rows",
    "hold_out",
    "iter_rows",
    "join_files",
    "load_pairs",
    "load_rows",
    "parse_any_rows",
    "refuse",
    "to_examples",
]
