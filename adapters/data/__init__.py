"""Training data: files of rows in the usual formats, read into one internal row."""

from adapters.data.by_hand import ReadByHand, digest_of
from adapters.data.checks import DataCheck, Expectations, check_rows
from adapters.data.context import ContextCounts, count_context
from adapters.data.context_rows import (
    ContextMix,
    ContextQuestion,
    ContextRows,
    Distractors,
    build_context_rows,
)
from adapters.data.copies import common_answers, count_distinct, hold_out
from adapters.data.formats import (
    Conversion,
    Refusal,
    RowFormat,
    convert_files,
    iter_rows,
    load_pairs,
    load_rows,
    parse_any_rows,
    refuse,
)
from adapters.data.long_text import FittedPrompt, TokenCounter, fit_prompt
from adapters.data.passage_marks import PASSAGE_MARKS, PASSAGES_ARE_DATA
from adapters.data.personal import MaskPersonalData, MaskSettings
from adapters.data.pipeline.file import PipelineFile, RowRequirements, StepEntry, load_pipeline
from adapters.data.pipeline.run import (
    PipelineJob,
    PipelineResult,
    forget_stages,
    run_pipeline,
)
from adapters.data.pipeline.sources import UnreadableDocument
from adapters.data.pipeline.table import INVENTING, READING, Outside, asks_model
from adapters.data.readiness.score import RowsNeeded
from adapters.data.readiness.versions import VersionComparison, compare_versions
from adapters.data.readiness.weights import repeat_by_weight
from adapters.data.relevance import Domain
from adapters.data.rows import Example, Message, Pair, Row, hash_rows, to_examples
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
    "PASSAGES_ARE_DATA",
    "PASSAGE_MARKS",
    "Annotate",
    "AnnotationSettings",
    "ApplyRules",
    "ContextCounts",
    "ContextMix",
    "ContextQuestion",
    "ContextRows",
    "Conversion",
    "DataCheck",
    "DialogueSettings",
    "Distractors",
    "Domain",
    "Example",
    "Expectations",
    "FittedPrompt",
    "Generate",
    "MaskPersonalData",
    "MaskSettings",
    "Message",
    "INVENTING",
    "Outside",
    "READING",
    "asks_model",
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
    "Refusal",
    "RowFormat",
    "ReadByHand",
    "Result",
    "RuleSettings",
    "SelfInstruct",
    "SelfInstructSettings",
    "Step",
    "StepEntry",
    "accept_row",
    "annotate_dialogues",
    "convert_files",
    "choose_sample",
    "count_context",
    "digest_of",
    "document_row",
    "common_answers",
    "count_distinct",
    "fit_prompt",
    "forget_stages",
    "hash_rows",
    "hold_out",
    "iter_rows",
    "load_annotation",
    "load_pairs",
    "load_pipeline",
    "load_rows",
    "load_rules",
    "parse_any_rows",
    "repeat_by_weight",
    "run_pipeline",
    "refuse",
    "row_as_dict",
    "row_of",
    "to_examples",
]
