"""Support conversations as triples: dialogue → intent → result.

It says what is asked of a model about a conversation; `annotation.py` asks.
"""

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from adapters.data.structure.annotation import Annotate, AnnotationSettings
from adapters.data.structure.replies import Generate
from adapters.data.structure.templates import RowTemplate

Name = Annotated[str, Field(min_length=1, max_length=80)]

_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "zh": {
        "ask": "阅读下面的客服对话，判断用户的意图（intent）和处理结果（result），以 JSON 回答。",
        "one_of": "{key} 只能是：{names}。",
        "free": "{key} 用不超过十五个字概括。",
    },
    "en": {
        "ask": (
            "Read the support conversation. Say what the user wants (intent) and how it ended "
            "(result), as JSON."
        ),
        "one_of": "{key} is one of: {names}.",
        "free": "{key} is a few words.",
    },
}


class DialogueSettings(BaseModel):
    """What the triples say.

    Attributes:
        language: Of the instruction.
        intents: The intents there are; none: the model words them.
        results: The results there are; none: likewise.
        max_chars: As in `AnnotationSettings`; a conversation is read whole up to this length.
        parallel: Likewise.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    language: Literal["zh", "en"] = "zh"
    intents: tuple[Name, ...] = ()
    results: tuple[Name, ...] = ()
    max_chars: Annotated[int, Field(ge=100, le=100_000)] = 3_000
    parallel: Annotated[int, Field(ge=1, le=64)] = 8


def annotate_dialogues(settings: DialogueSettings, generate: Generate) -> Annotate:
    """Return the step `dialogues`: a conversation becomes its intent and result as JSON.

    The row's `scenario` is the intent.
    """
    return Annotate(as_annotation(settings), generate, name="dialogues")


def as_annotation(settings: DialogueSettings) -> AnnotationSettings:
    """Return what is asked of the model."""
    words = _WORDS[settings.language]
    listed = {"intent": settings.intents, "result": settings.results}
    lines = [
        words["one_of"].format(key=key, names=_LISTED[settings.language].join(names))
        if names
        else words["free"].format(key=key)
        for key, names in listed.items()
    ]
    schema: dict[str, JsonValue] = {
        "type": "object",
        "properties": {key: _value(names) for key, names in listed.items()},
        "required": list(listed),
        "additionalProperties": False,
    }
    return AnnotationSettings(
        instruction="\n".join([words["ask"], *lines]),
        reply=schema,
        row=RowTemplate(
            instruction="{instruction}",
            input="{text}",
            output={"intent": "{intent}", "result": "{result}"},
        ),
        meta={"scenario": "{intent}"},
        max_chars=settings.max_chars,
        parallel=settings.parallel,
    )


_LISTED: Final = {"zh": "、", "en": ", "}


def _value(names: tuple[str, ...]) -> dict[str, JsonValue]:
    return {"enum": [*names]} if names else {"type": "string", "minLength": 1, "maxLength": 80}
