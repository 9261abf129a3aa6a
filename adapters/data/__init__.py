"""Training data: files of rows in the usual formats, read into one internal row."""

from adapters.data.by_hand import ReadByHand, digest_of
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
from adapters.data.relevance import Domain
from adapters.data.rows import Example, Message, Pair, Row, hash_rows, hold_out, to_examples
from adapters.data.steps import Result, Step
from adapters.data.structure import (
    Annotate,
    AnnotationSettings,
    ApplyRules,
    DialogueSettings,
    Generate,
    RuleSettings,
    SelfInstruct,
    SelfInstructSettings,
    accept_row,
    annotate_dialogues,
    choose_sample,
    document_row,
    load_annotation,
    load_rules,
    row_as_dict,
    row_of,
)

__all__ = [
    "Annotate",
    "AnnotationSettings",
    "ApplyRules",
    "ContextCounts",
    "ContextMix",
    "ContextQuestion",
    "ContextRows",
    "DataCheck",
    "DialogueSettings",
    "Distractors",
    "Domain",
    "Example",
    "Expectations",
    "FittedPrompt",
    "Generate",
    "Message",
    "Pair",
    "ReadByHand",
    "Result",
    "Row",
    "RuleSettings",
    "SelfInstruct",
    "SelfInstructSettings",
    "Step",
    "TokenCounter",
    "accept_row",
    "annotate_dialogues",
    "build_context_rows",
    "check_rows",
    "choose_sample",
    "count_context",
    "digest_of",
    "document_row",
    "fit_prompt",
    "hash_rows",
    "hold_out",
    "load_annotation",
    "load_pairs",
    "load_rows",
    "load_rules",
    "parse_any_rows",
    "row_as_dict",
    "row_of",
    "to_examples",
]
