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
from adapters.data.formats import load_rows
from adapters.data.long_text import FittedPrompt, TokenCounter, fit_prompt
from adapters.data.pairs import load_pairs
from adapters.data.pipeline.file import PipelineFile, RowRequirements, load_pipeline
from adapters.data.pipeline.run import (
    PipelineJob,
    PipelineResult,
    forget_stages,
    run_pipeline,
)
from adapters.data.pipeline.sources import UnreadableDocument
from adapters.data.pipeline.table import Outside
from adapters.data.readiness.score import RowsNeeded
from adapters.data.readiness.versions import VersionComparison, compare_versions
from adapters.data.readiness.weights import repeat_by_weight
from adapters.data.relevance import Domain
from adapters.data.rows import Example, Message, Pair, Row, hash_rows, hold_out, to_examples

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
    "Outside",
    "Pair",
    "PipelineFile",
    "PipelineJob",
    "PipelineResult",
    "Row",
    "RowRequirements",
    "RowsNeeded",
    "TokenCounter",
    "UnreadableDocument",
    "VersionComparison",
    "build_context_rows",
    "check_rows",
    "compare_versions",
    "count_context",
    "fit_prompt",
    "forget_stages",
    "hash_rows",
    "hold_out",
    "load_pairs",
    "load_pipeline",
    "load_rows",
    "parse_any_rows",
    "repeat_by_weight",
    "run_pipeline",
    "to_examples",
]
