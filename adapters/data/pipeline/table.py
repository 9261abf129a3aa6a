"""The steps that a pipeline file may name: for each its settings, and what makes it.

A new step is one entry. It knows no files and no order.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

import pydantic

from adapters.data.cleaning import (
    Deduplicate,
    DeduplicateSettings,
    Near,
    NearSettings,
    Noise,
    NoiseSettings,
    Normalise,
    NormaliseSettings,
    SimilarSettings,
)
from adapters.data.filters import KeywordSettings, filter_by_keywords
from adapters.data.personal import MaskPersonalData, MaskSettings
from adapters.data.pipeline.by_rows import (
    ClassifierFiles,
    LeakageFiles,
    PerplexityFiles,
    SimilarityFiles,
    make_classifier,
    make_leakage,
    make_perplexity,
    make_similar,
    make_similarity,
)
from adapters.data.pipeline.file import StepEntry, describe_faults
from adapters.data.pipeline.outside import Outside
from adapters.data.pipeline.speakers import Speakers, SpeakersSettings
from adapters.data.pipeline.tags import Tag, TagSettings
from adapters.data.readiness.business_lines import Balance, BalanceSettings
from adapters.data.readiness.disputed import Disputed, DisputedSettings
from adapters.data.readiness.json_values import JsonValues, JsonValuesSettings
from adapters.data.readiness.versions import Outdated, OutdatedSettings
from adapters.data.readiness.weights import WeightRecent, WeightRecentSettings
from adapters.data.steps import Step
from adapters.data.structure import (
    Annotate,
    ApplyRules,
    DialogueSettings,
    Generate,
    SelfInstruct,
    SelfInstructSettings,
    annotate_dialogues,
    load_annotation,
    load_rules,
)
from adapters.errors import InvalidPipeline

READING = 0.0  # temperature: what stands in a text is not made up
INVENTING = 0.7  # with 0 every seed would give the likeliest pair again


class NoSettings(pydantic.BaseModel):
    """Of a step that has none."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")


class FileSettings(pydantic.BaseModel):
    """Of a step whose settings stand in a file of their own; its content is what counts."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")

    file: Path


S = TypeVar("S", bound=pydantic.BaseModel)


@dataclass(frozen=True, slots=True)
class StepKind(Generic[S]):
    """One kind of step.

    Attributes:
        settings: Their model.
        make: Makes the step.
        reads_documents: Whether it is given documents of which no conversation was made yet.
        asks_model: Whether it asks the base model, so that a model server must be up.
    """

    settings: type[S]
    make: Callable[[S, Outside], Step]
    reads_documents: bool = False
    asks_model: bool = False


def _masking(settings: MaskSettings, outside: Outside) -> Step:
    if outside.secret is None:
        raise InvalidPipeline(f"step {MaskPersonalData.name} needs the secret of a home")
    return MaskPersonalData(settings, outside.secret())


def _asking(outside: Outside, temperature: float) -> Generate:
    assert outside.generate is not None  # `make_step` refuses it before
    return outside.generate(temperature)


STEPS: Mapping[str, StepKind[Any]] = {
    "annotate": StepKind(
        FileSettings,
        lambda s, outside: Annotate(load_annotation(s.file), _asking(outside, READING)),
        reads_documents=True,
        asks_model=True,
    ),
    "balance": StepKind(BalanceSettings, lambda s, _: Balance(s)),
    "classifier": StepKind(ClassifierFiles, make_classifier),
    "deduplicate": StepKind(DeduplicateSettings, lambda s, _: Deduplicate(s)),
    "dialogues": StepKind(
        DialogueSettings,
        lambda s, outside: annotate_dialogues(s, _asking(outside, READING)),
        reads_documents=True,
        asks_model=True,
    ),
    "disputed": StepKind(DisputedSettings, lambda s, _: Disputed(s)),
    "json_values": StepKind(JsonValuesSettings, lambda s, _: JsonValues(s)),
    "keywords": StepKind(KeywordSettings, lambda s, _: filter_by_keywords(s)),
    "leakage": StepKind(LeakageFiles, make_leakage),
    "mask_personal_data": StepKind(MaskSettings, _masking, reads_documents=True),
    "near": StepKind(NearSettings, lambda s, _: Near(s)),
    "noise": StepKind(NoiseSettings, lambda s, _: Noise(s)),
    "normalise": StepKind(NormaliseSettings, lambda s, _: Normalise(s)),
    "outdated": StepKind(OutdatedSettings, lambda s, _: Outdated(s)),
    "perplexity": StepKind(PerplexityFiles, make_perplexity),
    "self_instruct": StepKind(
        SelfInstructSettings,
        lambda s, outside: SelfInstruct(s, _asking(outside, INVENTING)),
        asks_model=True,
    ),
    "similar": StepKind(SimilarSettings, make_similar),
    "similarity": StepKind(SimilarityFiles, make_similarity),
    "speakers": StepKind(SpeakersSettings, lambda s, _: Speakers(s), reads_documents=True),
    "structure": StepKind(
        FileSettings, lambda s, _: ApplyRules(load_rules(s.file)), reads_documents=True
    ),
    "tag": StepKind(TagSettings, lambda s, _: Tag(s)),
    "weight_recent": StepKind(
        WeightRecentSettings, lambda s, outside: WeightRecent(s, today=outside.today)
    ),
}


@dataclass(frozen=True, slots=True)
class MadeStep:
    """A step that can be run.

    Attributes:
        step: The step.
        reads_documents: Whether it is given documents.
        depends_on: What its results depend on beside its settings and the rows.
    """

    step: Step
    reads_documents: bool
    depends_on: Mapping[str, object] = field(default_factory=dict)


def asks_model(steps: Iterable[StepEntry]) -> bool:
    """Return whether one of the steps asks the base model; steps there are not do not."""
    return any(one.name in STEPS and STEPS[one.name].asks_model for one in steps)


def make_step(entry: StepEntry, outside: Outside) -> MadeStep:
    """Return the step that an entry of a pipeline file names.

    Raises:
        InvalidPipeline: There is no such step, its settings are wrong, or it asks the base model
            and no model server is up.
        InvalidRules: The file that its settings name is wrong.
    """
    kind = STEPS.get(entry.name)
    if kind is None:
        raise InvalidPipeline(f"no step {entry.name!r}; there are {', '.join(sorted(STEPS))}")
    try:
        settings = kind.settings.model_validate(dict(entry.settings))
    except pydantic.ValidationError as exc:
        raise InvalidPipeline(f"step {entry.name}: {describe_faults(exc)}") from exc
    if kind.asks_model and outside.generate is None:
        raise InvalidPipeline(
            f"step {entry.name} asks the base model, and the model server of this home does not "
            "answer; `fingerpost up` starts it"
        )
    depends_on = {"model_id": outside.model_id} if kind.asks_model else {}
    return MadeStep(kind.make(settings, outside), kind.reads_documents, depends_on)
