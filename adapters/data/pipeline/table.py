"""The steps that a pipeline file may name: for each its settings, and what makes it.

A new step is one entry. It knows no files and no order.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Generic, TypeVar

import pydantic

from adapters.data.cleaning import (
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
    Script,
    Similar,
    SimilarSettings,
)
from adapters.data.formats import load_rows
from adapters.data.personal import MaskPersonalData, MaskSettings
from adapters.data.pipeline.file import StepEntry, describe_faults
from adapters.data.pipeline.speakers import Speakers, SpeakersSettings
from adapters.data.pipeline.tags import Tag, TagSettings
from adapters.data.readiness.business_lines import Balance, BalanceSettings
from adapters.data.readiness.disputed import Disputed, DisputedSettings
from adapters.data.readiness.versions import Outdated, OutdatedSettings
from adapters.data.readiness.weights import WeightRecent, WeightRecentSettings
from adapters.data.relevance import Embed
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


@dataclass(frozen=True, slots=True)
class Outside:
    """What steps are given that this room does not have.

    Attributes:
        today: The day of the run.
        embed: Turns texts into vectors; it may load its model at the first call. None: there is
            no embedder.
        embedder_id: What identifies it; a part of the settings of steps that embed.
        secret: Returns the key of surrogates; None: there is none.
        generate: Returns what asks the base model, at a temperature; None: no model server is up.
        model_id: What identifies the base model: with another one such steps are done again.
    """

    today: date
    embed: Embed | None = None
    embedder_id: str = ""
    secret: Callable[[], bytes] | None = None
    generate: Callable[[float], Generate] | None = None
    model_id: str = ""


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


class LeakageFiles(LeakageSettings):
    """Settings of `leakage` in a pipeline.

    Attributes:
        test: Files of rows that must not be trained on.
        script: As that of the step `normalise`: the rows of the test are spelled so, too.
    """

    test: Annotated[tuple[Path, ...], pydantic.Field(min_length=1)]
    script: Script = "as_is"


def _leakage(settings: LeakageFiles, _outside: Outside) -> Step:
    spelled = Normalise(NormaliseSettings(script=settings.script)).run(load_rows(settings.test))
    test = [row for result in spelled for row in result.rows]
    only = settings.model_dump(include=set(LeakageSettings.model_fields))
    return Leakage(LeakageSettings.model_validate(only), test)


def _similar(settings: SimilarSettings, outside: Outside) -> Step:
    if outside.embed is None:
        raise InvalidPipeline(f"step {Similar.name} needs an embedder")
    return Similar(settings, outside.embed, embedder_id=outside.embedder_id)


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
    "deduplicate": StepKind(DeduplicateSettings, lambda s, _: Deduplicate(s)),
    "dialogues": StepKind(
        DialogueSettings,
        lambda s, outside: annotate_dialogues(s, _asking(outside, READING)),
        reads_documents=True,
        asks_model=True,
    ),
    "disputed": StepKind(DisputedSettings, lambda s, _: Disputed(s)),
    "leakage": StepKind(LeakageFiles, _leakage),
    "mask_personal_data": StepKind(MaskSettings, _masking, reads_documents=True),
    "near": StepKind(NearSettings, lambda s, _: Near(s)),
    "noise": StepKind(NoiseSettings, lambda s, _: Noise(s)),
    "normalise": StepKind(NormaliseSettings, lambda s, _: Normalise(s)),
    "outdated": StepKind(OutdatedSettings, lambda s, _: Outdated(s)),
    "self_instruct": StepKind(
        SelfInstructSettings,
        lambda s, outside: SelfInstruct(s, _asking(outside, INVENTING)),
        asks_model=True,
    ),
    "similar": StepKind(SimilarSettings, _similar),
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
