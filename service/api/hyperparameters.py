"""What a training request asks for, in OpenAI's words or ours, as one training configuration.

It knows the names of both and which of them belong together; what a key does is said in
`adapters`, which also checks the values.
"""

import difflib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from adapters import (
    DEFAULT_STAGE,
    METHODS,
    InvalidTrainingConfig,
    TrainingConfig,
    parse_training_config,
)
from service.api.schemas.shapes import Body
from service.errors import InvalidRequest

AUTO = "auto"

_STAGES = {method.openai_name: method.stage for method in METHODS.values()}
_OF_ONE_METHOD = {
    name: key for method in METHODS.values() for name, key in method.openai_hyperparameters.items()
}

_MOST_TASK_CHARS = 48
_OPENAI = ("n_epochs", "batch_size", "learning_rate_multiplier", *_OF_ONE_METHOD)
_OURS_TO_SAY = {
    "dataset": "the rows are the uploaded `training_file`",
    "output_dir": "adapters lie in the home of the gateway",
}
_Label = Annotated[str, Field(max_length=64)]
_LabelValue = Annotated[str, Field(max_length=512)]


class MethodSettings(Body):
    """`method.supervised` or `method.dpo` of OpenAI's body."""

    hyperparameters: dict[str, Any] | None = None


class Method(Body):
    """`method` of OpenAI's body."""

    type: str
    supervised: MethodSettings | None = None
    dpo: MethodSettings | None = None
    reinforcement: dict[str, Any] | None = None


class TrainingRequest(Body):
    """Body of `POST /v1/fine_tuning/jobs`; `config` takes LLaMA-Factory's keys."""

    training_file: str
    model: str | None = None
    suffix: str | None = None
    seed: int | None = None
    method: Method | None = None
    hyperparameters: dict[str, Any] | None = None
    metadata: Annotated[dict[_Label, _LabelValue], Field(max_length=16)] | None = None
    validation_file: str | None = None
    integrations: list[Any] | None = None
    config: dict[str, Any] = Field(default_factory=dict)


def config_keys(body: TrainingRequest, *, base: str, filename: str) -> dict[str, Any]:
    """Return the keys of the training configuration that a request describes, checked.

    Args:
        body: The request.
        base: Id of the base model that is served.
        filename: Of the training file; also names the task where nothing else does.

    Raises:
        InvalidRequest: It asks for something that cannot be had here.
        InvalidTrainingConfig: A key is unknown or a value wrong; the error's `key` is the path
            in the body.
    """
    _refuse_missing_parts(body)
    stage = _stage(body)
    keys: dict[str, Any] = {} if stage is None else {"stage": stage}
    paths: dict[str, str] = {}
    for path, name, value in _hyperparameters(body):
        translated = _translate(path, name, value, stage or _stage_of(body.config))
        keys.update(translated)
        paths.update(dict.fromkeys(translated, path))
    keys.update(body.config)
    paths.update({key: f"config.{key}" for key in body.config})
    task = _task(body, filename)
    keys.update(task=task, model_name_or_path=base, dataset=filename)
    if body.seed is not None:
        keys["seed"], paths["seed"] = body.seed, "seed"
    try:
        parse_training_config(keys, name="config")
    except InvalidTrainingConfig as exc:
        raise InvalidTrainingConfig(str(exc), key=paths.get(exc.key or "", exc.key)) from exc
    return keys


def hyperparameters_of(keys: Mapping[str, Any]) -> dict[str, Any]:
    """Return OpenAI's hyperparameters of a configuration; `auto` where it names none."""
    stage = _stage_of(keys)
    defaults = _defaults(stage)
    per_step = ("per_device_train_batch_size", "gradient_accumulation_steps")
    batch = [keys.get(name, getattr(defaults, name)) for name in per_step]
    named = any(name in keys for name in per_step)
    rate = keys.get("learning_rate")
    found = {
        "n_epochs": keys.get("num_train_epochs", AUTO),
        "batch_size": batch[0] * batch[1] if named else AUTO,
        "learning_rate_multiplier": (
            AUTO if rate is None else round(rate / defaults.learning_rate, 6)
        ),
    }
    own = METHODS[stage].openai_hyperparameters
    return {**found, **{name: keys.get(key, AUTO) for name, key in own.items()}}


def openai_method_of(keys: Mapping[str, Any]) -> str:
    """Return OpenAI's name of the method that a configuration trains with."""
    return METHODS[_stage_of(keys)].openai_name


def _stage_of(keys: Mapping[str, Any]) -> str:
    return str(keys.get("stage", DEFAULT_STAGE))


def _refuse_missing_parts(body: TrainingRequest) -> None:
    if body.validation_file is not None:
        raise InvalidRequest(
            "A validation_file is not read here. Held-out rows come from the training file: "
            'send {"config": {"val_size": 0.1}}.',
            param="validation_file",
        )
    if body.integrations:
        raise InvalidRequest(
            "Nothing is sent elsewhere while training; leave `integrations` out. "
            '{"config": {"report_to": "tensorboard"}} writes files beside the run.',
            param="integrations",
        )
    for key, why in _OURS_TO_SAY.items():
        if key in body.config:
            raise InvalidRequest(f"Leave `{key}` out of `config`: {why}.", param=f"config.{key}")


def _stage(body: TrainingRequest) -> str | None:
    """Return the stage that `method` names; none leaves it to `config`."""
    if body.method is None:
        return None
    kind = body.method.type
    if kind not in _STAGES:
        near = difflib.get_close_matches(kind, _STAGES, n=1)
        raise InvalidRequest(
            f"There is no method {kind!r} here; "
            + (f"did you mean {near[0]!r}?" if near else f"there are {', '.join(_STAGES)}."),
            param="method.type",
        )
    for other in (*_STAGES, "reinforcement"):
        if other != kind and getattr(body.method, other, None) is not None:
            raise InvalidRequest(
                f"`method.{other}` does not belong to the type {kind!r}; leave it out.",
                param=f"method.{other}",
            )
    stage = _STAGES[kind]
    if body.config.get("stage", stage) != stage:
        raise InvalidRequest(
            f"`method.type` {kind!r} is stage {stage!r}, `config.stage` says otherwise.",
            param="config.stage",
        )
    return stage


def _hyperparameters(body: TrainingRequest) -> Iterator[tuple[str, str, Any]]:
    """Yield path, name and value of each hyperparameter."""
    for name, value in (body.hyperparameters or {}).items():
        yield f"hyperparameters.{name}", name, value
    if body.method is not None:
        settings: MethodSettings | None = getattr(body.method, body.method.type, None)
        for name, value in ((settings and settings.hyperparameters) or {}).items():
            yield f"method.{body.method.type}.hyperparameters.{name}", name, value


def _translate(path: str, name: str, value: Any, stage: str) -> dict[str, Any]:
    if name not in _OPENAI and (name not in TrainingConfig.model_fields or name in _OURS_TO_SAY):
        known = [*_OPENAI, *TrainingConfig.model_fields]
        near = difflib.get_close_matches(name, known, n=1)
        said = f"did you mean {near[0]}?" if near else f"known are {', '.join(_OPENAI)}"
        raise InvalidTrainingConfig(f"{path}: unknown key, {said}", key=path)
    if name in _OPENAI and value == AUTO:
        return {}
    if name == "n_epochs":
        return {"num_train_epochs": value}
    if name in _OF_ONE_METHOD:
        return {_OF_ONE_METHOD[name]: value}
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and value > 0
    if name == "learning_rate_multiplier":
        if not is_number:
            raise InvalidTrainingConfig(f"{path}: a number above 0, or auto", key=path)
        return {"learning_rate": value * _defaults(stage).learning_rate}
    if name == "batch_size":
        if not is_number or value != int(value):
            raise InvalidTrainingConfig(f"{path}: a whole number of rows, or auto", key=path)
        most = _defaults(stage).per_device_train_batch_size
        at_once = max(size for size in range(1, most + 1) if int(value) % size == 0)
        return {
            "per_device_train_batch_size": at_once,
            "gradient_accumulation_steps": int(value) // at_once,
        }
    return {name: value}


def _defaults(stage: str) -> TrainingConfig:
    least = {"task": "any", "model_name_or_path": "any", "dataset": "any.jsonl", "stage": stage}
    return parse_training_config(least, name="config")


def _task(body: TrainingRequest, filename: str) -> Any:
    """Return the first part of the adapter's id: as asked, else the file's name."""
    if body.suffix is None:
        return body.config.get("task") or _slug(Path(filename).stem) or "fine-tuned"
    wanted = _slug(body.suffix)
    if wanted != body.suffix:
        raise InvalidTrainingConfig(
            f"suffix {body.suffix!r}: lower-case letters, digits and hyphens, at most "
            f"{_MOST_TASK_CHARS}" + (f", such as {wanted!r}" if wanted else ""),
            key="suffix",
        )
    return wanted


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:_MOST_TASK_CHARS].strip("-")
