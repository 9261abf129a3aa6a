"""The pipeline file: what is read, the steps in their order, the checks, the output.

It knows the shape of the file; what a step is called and takes is in `table.py`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import pydantic
import yaml
from pydantic import Field, JsonValue, field_validator

from adapters.data.readiness.business_lines import Shares
from adapters.errors import InvalidPipeline

FILE_KEYS = frozenset({"file", "like", "test", "unwanted", "wanted"})
"""Settings of steps that name files, relative to the pipeline file."""


class _Part(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")


class StepEntry(_Part):
    """One step as it is written: its name, or its name with settings."""

    name: str
    settings: Mapping[str, JsonValue] = {}


class RowRequirements(_Part):
    """What rows should be like, as people write it; see `adapters.Expectations`.

    Attributes:
        domain: What the rows are about, in a sentence.
        scenarios: The scenarios that they should cover; `folders`: those that the folders read
            are divided into.
        business_lines: The part that each line of business should have.
        min_similarity: Cosine from which a row belongs to the domain; none: the embedder's own.
        label_disagreement_percent: On how many of the same rows two people differed.
        task_type: Kind of task, which says how many rows are needed.
        industry: `finance` and `legal` need 30 % more rows.
        manual_sample_share: Share of the rows that a person must have read before the check of
            personal data passes; 0: not demanded.
    """

    domain: str = ""
    scenarios: tuple[str, ...] | Literal["folders"] = ()
    business_lines: Shares = {}
    min_similarity: Annotated[float, Field(ge=-1, le=1)] | None = None
    label_disagreement_percent: Annotated[float, Field(ge=0, le=100)] | None = None
    task_type: Literal["classification", "qa", "dialogue", "code"] | None = None
    industry: Literal["general", "finance", "legal"] = "general"
    manual_sample_share: Annotated[float, Field(ge=0, le=1)] = 0.0


class PipelineFile(_Part):
    """One pipeline.

    Attributes:
        read: Files and folders, relative to the file; may be named by the command instead.
        steps: What is done with the rows, in this order.
        checks: What the finished rows are compared with.
        out: The file of finished rows, relative to the file; may be named by the command instead.
    """

    read: tuple[Path, ...] = ()
    steps: tuple[StepEntry, ...] = ()
    checks: RowRequirements = RowRequirements()
    out: Path | None = None

    @field_validator("steps", mode="before")
    @classmethod
    def _read_steps(cls, value: object) -> object:
        return [_as_entry(one) for one in value] if isinstance(value, list) else value


def _as_entry(step: object) -> object:
    if isinstance(step, str):
        return {"name": step}
    if isinstance(step, dict) and len(step) == 1:
        ((name, settings),) = step.items()
        return {"name": name, "settings": {} if settings is None else settings}
    raise ValueError("a step is a name, or one name with its settings")


def load_pipeline(file: Path) -> PipelineFile:
    """Read a pipeline file; its paths, and files that its steps name, are taken as relative to it.

    Raises:
        InvalidPipeline: It cannot be read, or a key or a value is wrong.
    """
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as exc:
        raise InvalidPipeline(f"{file} cannot be read: {exc.strerror}") from exc
    except (yaml.YAMLError, UnicodeDecodeError) as exc:
        raise InvalidPipeline(f"{file} is not YAML: {exc}") from exc
    try:
        parsed = PipelineFile.model_validate({} if content is None else content)
    except pydantic.ValidationError as exc:
        raise InvalidPipeline(f"{file}: {describe_faults(exc)}") from exc
    there = file.parent
    out = None if parsed.out is None else there / parsed.out
    read = tuple(there / one for one in parsed.read)
    steps = tuple(_beside(step, there) for step in parsed.steps)
    return parsed.model_copy(update={"read": read, "steps": steps, "out": out})


def _beside(step: StepEntry, folder: Path) -> StepEntry:
    """Return a step with the files that it names taken as relative to a folder."""
    settings = dict(step.settings)
    for key in FILE_KEYS & settings.keys():
        named = settings[key]
        if isinstance(named, str):
            settings[key] = str(folder / named)
        elif isinstance(named, list):
            settings[key] = [str(folder / one) for one in named if isinstance(one, str)]
    return step.model_copy(update={"settings": settings})


def describe_faults(exc: pydantic.ValidationError) -> str:
    """Return what is wrong with each key, in one line."""
    return "; ".join(
        f"{'.'.join(map(str, fault['loc'])) or 'the file'}: {fault['msg']}"
        for fault in exc.errors(include_url=False)
    )
