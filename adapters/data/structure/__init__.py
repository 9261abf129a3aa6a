"""Texts become rows: by rules, by a model whose rows people review, and from seeds."""

from adapters.data.structure.annotation import Annotate, AnnotationSettings, load_annotation
from adapters.data.structure.dialogues import DialogueSettings, annotate_dialogues
from adapters.data.structure.replies import Generate
from adapters.data.structure.review import accept_row, choose_sample, row_as_dict, row_of
from adapters.data.structure.rules import ApplyRules, RuleSettings, load_rules
from adapters.data.structure.self_instruct import SelfInstruct, SelfInstructSettings
from adapters.data.structure.texts import document_row

__all__ = [
    "Annotate",
    "AnnotationSettings",
    "ApplyRules",
    "DialogueSettings",
    "Generate",
    "RuleSettings",
    "SelfInstruct",
    "SelfInstructSettings",
    "accept_row",
    "annotate_dialogues",
    "choose_sample",
    "document_row",
    "load_annotation",
    "load_rules",
    "row_as_dict",
    "row_of",
]
