"""What a training request asks for, in OpenAI's words or ours, as one training configuration.

It knows the names of both and which of them belong together; what a key does is said in
`adapters`, which also checks the values.
"""

import difflib
import math
from collections.abc import Iterator

from pydantic import JsonValue

from adapters import InvalidTrainingConfig, TrainingConfig, parse_training_config
from adapters import Method as TrainingMethod
from service.api.schemas.fine_tuning import AUTO, Method, MethodSettings, TrainingRequest
from service.api.schemas.shapes import JsonObject
from service.errors import InvalidRequest
from service.fine_tuning.methods import (
    HYPERPARAMETERS,
    METHOD_NAMES,
    OWN_HYPERPARAMETERS,
    defaults_of,
    method_named,
    method_of,
)
from service.fine_tuning.task_names import MOST_TASK_CHARS, slug, task_from

_OURS_TO_SAY = {
    "output_dir": "adapters are stored in the home of the gateway",
}


def config_keys(body: TrainingRequest, *, base: str, filename: str) -> JsonObject:
    """Return the keys of the training configuration that a request describes, checked.

    Values are those that count: a number written as text is a number, and keys that change nothing
    here are left out.

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
    named = _method(body)
    keys: JsonObject = {} if named is None else {"stage": named.stage}
    paths: dict[str, str] = {}
    method = named or method_of(body.config.get("stage"))
    for path, name, value in _hyperparameters(body):
        translated = _translate(path, name, value, method)
        keys.update(translated)
        paths.update(dict.fromkeys(translated, path))
    keys.update(body.config)
    paths.update({key: f"config.{key}" for key in body.config})
    task = _task(body, filename)
    keys.update(task=task, model_name_or_path=base, dataset=filename)
    if body.seed is not None:
        keys["seed"], paths["seed"] = body.seed, "seed"
    try:
        counted = parse_training_config(keys, name="config").model_dump(mode="json")
    except InvalidTrainingConfig as exc:
        raise InvalidTrainingConfig(str(exc), key=paths.get(exc.key or "", exc.key)) from exc
    return {key: counted[key] for key in keys if key in counted} | {"dataset": filename}


def _refuse_missing_parts(body: TrainingRequest) -> None:
    if body.validation_file is not None:
        raise InvalidRequest(
            "`validation_file` is not supported. Held-out rows come from the training file: "
            'send {"config": {"val_size": 0.1}}.',
            param="validation_file",
        )
    if body.integrations:
        raise InvalidRequest(
            "`integrations` are not supported: leave them out. "
            '{"config": {"report_to": "tensorboard"}} writes files beside the run.',
            param="integrations",
        )
    for key, why in _OURS_TO_SAY.items():
        if key in body.config:
            raise InvalidRequest(f"Leave `{key}` out of `config`: {why}.", param=f"config.{key}")


def _method(body: TrainingRequest) -> TrainingMethod | None:
    """Return the method that the request names; none leaves it to `config.stage`."""
    if body.method is None:
        return None
    kind = body.method.type
    method = method_named(kind)
    if method is None:
        near = difflib.get_close_matches(kind, METHOD_NAMES, n=1)
        raise InvalidRequest(
            f"There is no method {kind!r} here; "
            + (f"did you mean {near[0]!r}?" if near else f"there are {', '.join(METHOD_NAMES)}."),
            param="method.type",
        )
    for other in Method.model_fields:
        if other not in ("type", kind) and getattr(body.method, other) is not None:
            raise InvalidRequest(
                f"`method.{other}` does not belong to the type {kind!r}; leave it out.",
                param=f"method.{other}",
            )
    if body.config.get("stage", method.stage) != method.stage:
        raise InvalidRequest(
            f"`method.type` {kind!r} is stage {method.stage!r}, but `config.stage` differs.",
            param="config.stage",
        )
    return method


def _hyperparameters(body: TrainingRequest) -> Iterator[tuple[str, str, JsonValue]]:
    """Yield path, name and value of each hyperparameter."""
    for name, value in (body.hyperparameters or {}).items():
        yield f"hyperparameters.{name}", name, value
    if body.method is not None:
        settings: MethodSettings | None = getattr(body.method, body.method.type, None)
        for name, value in ((settings and settings.hyperparameters) or {}).items():
            yield f"method.{body.method.type}.hyperparameters.{name}", name, value


def _translate(path: str, name: str, value: JsonValue, method: TrainingMethod) -> JsonObject:
    """Return the keys of one hyperparameter, under OpenAI's name or ours."""
    is_openais = name in HYPERPARAMETERS
    if not is_openais and (name not in TrainingConfig.model_fields or name in _OURS_TO_SAY):
        known = [*HYPERPARAMETERS, *TrainingConfig.model_fields]
        near = difflib.get_close_matches(name, known, n=1)
        said = f"did you mean {near[0]}?" if near else f"known are {', '.join(HYPERPARAMETERS)}"
        raise InvalidTrainingConfig(f"{path}: unknown key, {said}", key=path)
    if is_openais and value == AUTO:
        return {}
    if name == "n_epochs":
        return {"num_train_epochs": value}
    if name in OWN_HYPERPARAMETERS:
        return {OWN_HYPERPARAMETERS[name]: value}
    if name == "learning_rate_multiplier":
        rate = defaults_of(method).learning_rate
        return {"learning_rate": _positive(path, value, "a number above 0") * rate}
    if name == "batch_size":
        return _batch(path, value, most=defaults_of(method).per_device_train_batch_size)
    return {name: value}


def _batch(path: str, value: JsonValue, *, most: int) -> JsonObject:
    """Return a batch as rows at once, at most `most`, and steps that gather them."""
    wanted = "a whole number of rows"
    rows = _positive(path, value, wanted)
    if rows != int(rows):
        raise InvalidTrainingConfig(f"{path}: {wanted}, or auto", key=path)
    at_once = max(size for size in range(1, most + 1) if int(rows) % size == 0)
    return {
        "per_device_train_batch_size": at_once,
        "gradient_accumulation_steps": int(rows) // at_once,
    }


def _positive(path: str, value: JsonValue, wanted: str) -> int | float:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < math.inf:
        return value
    raise InvalidTrainingConfig(f"{path}: {wanted}, or auto", key=path)


def _task(body: TrainingRequest, filename: str) -> JsonValue:
    """Return the first part of the adapter's id: as asked, else the file's name."""
    if body.suffix is None:
        return body.config.get("task") or task_from(filename)
    wanted = slug(body.suffix)
    if wanted != body.suffix:
        raise InvalidTrainingConfig(
            f"suffix {body.suffix!r}: lower-case letters, digits and hyphens, at most "
            f"{MOST_TASK_CHARS}" + (f", such as {wanted!r}" if wanted else ""),
            key="suffix",
        )
    return wanted
