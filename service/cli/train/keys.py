"""The keys of a training configuration, with what the command line changes.

It knows the file and the options; the keys' meaning is in `adapters`.
"""

from collections.abc import Sequence
from pathlib import Path

import yaml

from adapters import passed_over
from service.api.schemas.shapes import JsonObject
from service.cli.output import CommandFailed, Output
from service.cli.use_cases import read_mapping
from service.fine_tuning.task_names import task_from


def read_keys(config: Path, changes: Sequence[str] | None, *, force: bool = False) -> JsonObject:
    """Return the keys of a configuration with the changes of the command line.

    Where no `task` is named, the first file of rows names it, as it does for a job.

    Raises:
        CommandFailed: The file cannot be read, or a change has no `=`.
        InvalidTrainingConfig: The name of the file gives no task.
    """
    keys = read_mapping(config)
    for change in changes or []:
        key, equals, value = change.partition("=")
        if not equals:
            message = f"--set {change}: write KEY=VALUE, for example seed=7."
            raise CommandFailed(message, code="usage")
        keys[key.strip()] = yaml.safe_load(value)
    dataset = keys.get("dataset")
    first = dataset[0] if isinstance(dataset, list) and dataset else dataset
    if keys.get("task") is None and isinstance(first, str):
        keys["task"] = task_from(first)
    return {**keys, "force": True} if force else keys


def use_keys(output: Output, keys: JsonObject) -> JsonObject:
    """Return the keys that count here, and tell the others with the reason."""
    unused = passed_over(keys)
    if keys.get("output_dir") is not None:
        unused["output_dir"] = "adapters are stored in the home"
    for key, why in unused.items():
        output.info(f"{key}: not used, {why}")
    return {key: value for key, value in keys.items() if key not in unused}


def name_base(keys: JsonObject, base_id: str) -> JsonObject:
    """Return the keys with the served base model where they name none, or just `base`."""
    named = keys.get("model_name_or_path") or "base"
    return {**keys, "model_name_or_path": base_id if named == "base" else named}
