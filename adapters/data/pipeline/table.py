"""The steps that a pipeline file may name: for each its settings, and what makes it.

A new step is one entry. It knows no files and no order.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Generic, TypeVar

import pydantic

from adapters.data.pipeline.file import StepEntry, describe_faults
from adapters.data.pipeline.masking import Mask
from adapters.data.pipeline.speakers import Speakers, SpeakersSettings
from adapters.data.pipeline.tags import Tag, TagSettings
from adapters.data.readiness.business_lines import Balance, BalanceSettings
from adapters.data.readiness.disputed import Disputed, DisputedSettings
from adapters.data.readiness.versions import Outdated, OutdatedSettings
from adapters.data.readiness.weights import WeightRecent, WeightRecentSettings
from adapters.data.relevance import Embed
from adapters.data.steps import Step
from adapters.errors import InvalidPipeline


@dataclass(frozen=True, slots=True)
class Outside:
    """What steps are given that this room does not have.

    Attributes:
        today: The day of the run.
        embed: Turns texts into vectors; it may load its model at the first call. None: there is
            no embedder.
        embedder_id: What identifies it; a part of the settings of steps that embed.
        secret: Returns the key of surrogates; None: there is none.
    """

    today: date
    embed: Embed | None = None
    embedder_id: str = ""
    secret: Callable[[], bytes] | None = None


class NoSettings(pydantic.BaseModel):
    """Of a step that has none."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")


S = TypeVar("S", bound=pydantic.BaseModel)


@dataclass(frozen=True, slots=True)
class StepKind(Generic[S]):
    """One kind of step.

    Attributes:
        settings: Their model.
        make: Makes the step.
        reads_documents: Whether it is given documents of which no conversation was made yet.
    """

    settings: type[S]
    make: Callable[[S, Outside], Step]
    reads_documents: bool = False


STEPS: Mapping[str, StepKind[Any]] = {
    "balance": StepKind(BalanceSettings, lambda s, _: Balance(s)),
    "disputed": StepKind(DisputedSettings, lambda s, _: Disputed(s)),
    "mask": StepKind(NoSettings, lambda _s, _o: Mask(), reads_documents=True),
    "outdated": StepKind(OutdatedSettings, lambda s, _: Outdated(s)),
    "speakers": StepKind(SpeakersSettings, lambda s, _: Speakers(s), reads_documents=True),
    "tag": StepKind(TagSettings, lambda s, _: Tag(s)),
    "weight_recent": StepKind(
        WeightRecentSettings, lambda s, outside: WeightRecent(s, today=outside.today)
    ),
}


@dataclass(frozen=True, slots=True)
class MadeStep:
    """A step that can be run, and whether it is given documents."""

    step: Step
    reads_documents: bool


def make_step(entry: StepEntry, outside: Outside) -> MadeStep:
    """Return the step that an entry of a pipeline file names.

    Raises:
        InvalidPipeline: There is no such step, or its settings are wrong.
    """
    kind = STEPS.get(entry.name)
    if kind is None:
        raise InvalidPipeline(f"no step {entry.name!r}; there are {', '.join(sorted(STEPS))}")
    try:
        settings = kind.settings.model_validate(dict(entry.settings))
    except pydantic.ValidationError as exc:
        raise InvalidPipeline(f"step {entry.name}: {describe_faults(exc)}") from exc
    return MadeStep(kind.make(settings, outside), kind.reads_documents)
