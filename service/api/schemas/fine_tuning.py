"""The bodies of `/v1/fine_tuning/jobs`: OpenAI's fields and ours.

OpenAI's clients ignore the fields they do not know: `adapter_id`, `config`, `progress`,
`result` and `servable` are ours.
"""

import math
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from adapters import TrainingConfig
from service.api.schemas.jobs import JobErrorReply
from service.api.schemas.shapes import Body, JsonObject, Reply
from service.fine_tuning.methods import defaults_of, method_of
from service.stores.jobs import Job, Status

Auto = Literal["auto"]
AUTO: Auto = "auto"
Number = int | float

_DEFAULT_SEED: int = TrainingConfig.model_fields["seed"].default
_OF_THE_ROWS = ("invalid_training_data", "too_few_rows")
_Label = Annotated[str, Field(max_length=64)]
_LabelValue = Annotated[str, Field(max_length=512)]


class MethodSettings(Body):
    """`method.supervised` or `method.dpo` of OpenAI's body."""

    hyperparameters: JsonObject | None = None


class Method(Body):
    """`method` of OpenAI's body; the settings are under the key named by `type`."""

    type: str
    supervised: MethodSettings | None = None
    dpo: MethodSettings | None = None
    reinforcement: JsonObject | None = None


class TrainingRequest(Body):
    """Body of `POST /v1/fine_tuning/jobs`; `config` takes LLaMA-Factory's keys.

    Attributes:
        training_file: Id of an uploaded file; `config.dataset` names more, whose rows follow.
        model: The served base model or `base`, which is also the default.
        suffix: First part of the adapter's id; default: `config.task` or the file's name.
        seed: Random seed.
        hyperparameters: OpenAI's older field for those of `method`.
        metadata: At most 16 labels chosen by the caller.
        validation_file: Not supported; use `config.val_size` to hold rows out.
        integrations: Not supported.
    """

    training_file: str
    model: str | None = None
    suffix: str | None = None
    seed: int | None = None
    method: Method | None = None
    hyperparameters: JsonObject | None = None
    metadata: Annotated[dict[_Label, _LabelValue], Field(max_length=16)] | None = None
    validation_file: str | None = None
    integrations: list[JsonValue] | None = None
    config: JsonObject = Field(default_factory=dict)


class TrainingArguments(BaseModel):
    """The stored arguments of a training job."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    file_id: str
    config: JsonObject
    metadata: dict[str, str] | None = None

    @classmethod
    def of(cls, job: Job) -> Self:
        """Return the arguments of a training job."""
        return cls.model_validate(dict(job.args))

    @property
    def base_model(self) -> str:
        """Id of the base model."""
        return str(self.config["model_name_or_path"])


class TrainingMetrics(BaseModel):
    """What is read of a finished run's `metrics.json`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    tokens: int | None = None
    steps: int | None = None
    last_loss: float | None = None
    held_out_loss: float | None = None


class TrainingOutcome(BaseModel):
    """What is read of a finished run's result."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    adapter_id: str | None = None
    metrics: TrainingMetrics = TrainingMetrics()

    @classmethod
    def of(cls, job: Job) -> Self:
        """Return the outcome of a training job; empty until it has succeeded."""
        return cls.model_validate(dict(job.result or {}))


def model_name(job: Job) -> str | None:
    """Return the name of the model that a run made: `<base model>:<adapter id>`."""
    adapter_id = TrainingOutcome.of(job).adapter_id
    return f"{TrainingArguments.of(job).base_model}:{adapter_id}" if adapter_id else None


class HyperparametersReply(Reply):
    """OpenAI's hyperparameters; `auto` where the configuration sets none.

    A method may add its own, such as `beta` of `dpo`.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    n_epochs: Number | Auto
    batch_size: int | Auto
    learning_rate_multiplier: Number | Auto

    @classmethod
    def of(cls, config: JsonObject) -> Self:
        """Return the hyperparameters of a configuration."""
        method = method_of(config.get("stage"))
        defaults = defaults_of(method)
        per_step = ("per_device_train_batch_size", "gradient_accumulation_steps")
        rows, steps = (int(_number(config.get(n)) or getattr(defaults, n)) for n in per_step)
        rate = _number(config.get("learning_rate"))
        return cls.model_validate(
            {
                "n_epochs": _number(config.get("num_train_epochs")) or AUTO,
                "batch_size": rows * steps if config.keys() & set(per_step) else AUTO,
                "learning_rate_multiplier": (
                    AUTO if rate is None else round(rate / defaults.learning_rate, 6)
                ),
                **{
                    name: config.get(key, AUTO)
                    for name, key in method.openai_hyperparameters.items()
                },
            }
        )


class MethodReply(Reply):
    """The training method; its hyperparameters are under the key named by `type`."""

    model_config = ConfigDict(frozen=True, extra="allow")

    type: str

    @classmethod
    def of(cls, config: JsonObject) -> Self:
        """Return the method of a configuration with its hyperparameters."""
        name, chosen = method_of(config.get("stage")).openai_name, HyperparametersReply.of(config)
        return cls.model_validate({"type": name, name: {"hyperparameters": chosen.model_dump()}})


class TrainingErrorReply(JobErrorReply):
    """Why a run failed; `param` is `training_file` if its rows are the cause."""

    param: str | None = None

    @classmethod
    def of(cls, job: Job) -> Self | None:
        """Return why a run failed; None where it did not."""
        if job.error is None:
            return None
        known = {key: value for key, value in job.error.items() if value is not None}
        param = "training_file" if known.get("code") in _OF_THE_ROWS else None
        return cls.stored({"param": param, **known})


class TrainingReply(Reply):
    """A training run.

    Attributes:
        created_at: Unix seconds, like `finished_at` and `estimated_finish`.
        status: A job's status, `pausing`, or `validating_files` before the first progress report.
        fine_tuned_model: `<base model>:<adapter id>` once it has succeeded.
        trained_tokens: Tokens trained on, summed over all epochs.
        config: The configuration of the run, in LLaMA-Factory's keys.
        progress: Last progress report; `fraction` is 0 to 1 if known.
        result: The trained adapter, once the run has succeeded.
    """

    id: str
    object: Literal["fine_tuning.job"] = "fine_tuning.job"
    model: str
    created_at: int
    finished_at: int | None
    estimated_finish: int | None
    status: str
    training_file: str
    validation_file: None = None
    result_files: list[str] = []
    fine_tuned_model: str | None
    trained_tokens: int | None
    hyperparameters: HyperparametersReply
    method: MethodReply
    seed: int
    metadata: dict[str, str] | None
    integrations: list[JsonValue] = []
    organization_id: str
    error: TrainingErrorReply | None
    adapter_id: str | None
    config: JsonObject
    progress: JsonObject
    result: JsonObject | None

    @classmethod
    def of(cls, job: Job) -> Self:
        """Return a run as OpenAI's clients read it."""
        arguments, outcome = TrainingArguments.of(job), TrainingOutcome.of(job)
        config = arguments.config
        seed = _number(config.get("seed"))
        return cls.model_validate(
            {
                "id": job.job_id,
                "model": arguments.base_model,
                "created_at": int(job.created_at),
                "finished_at": int(job.updated_at) if job.has_ended else None,
                "estimated_finish": _estimated_finish(job),
                "status": _status(job),
                "training_file": arguments.file_id,
                "fine_tuned_model": model_name(job),
                "trained_tokens": outcome.metrics.tokens,
                "hyperparameters": HyperparametersReply.of(config),
                "method": MethodReply.of(config),
                "seed": _DEFAULT_SEED if seed is None else int(seed),
                "metadata": arguments.metadata,
                "organization_id": job.tenant,
                "error": TrainingErrorReply.of(job),
                "adapter_id": outcome.adapter_id,
                "config": config,
                "progress": {**job.progress},
                "result": {**job.result} if job.result else None,
            }
        )


def _number(value: JsonValue) -> Number | None:
    """Return a number of a stored configuration, which may be text; None where it is none.

    A stored job is shown whatever an earlier release let through.
    """
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return int(value) if value == int(value) else value


def _status(job: Job) -> str:
    """Return the status in OpenAI's words: until a run says something, its rows are read."""
    if job.is_pausing:
        return "pausing"
    is_new = job.status is Status.RUNNING and not job.progress
    return "validating_files" if is_new else str(job.status)


def _estimated_finish(job: Job) -> int | None:
    eta_s = job.progress.get("eta_s") if job.status is Status.RUNNING else None
    return int(job.updated_at + eta_s) if isinstance(eta_s, int | float) else None
