"""The keys of a training configuration, with what the command line changes.

It knows the file and the options; the keys' meaning is in `adapters`.
"""

from collections.abc import Sequence
from pathlib import Path

import yaml

from service.api.schemas.shapes import JsonObject
from service.cli.output import CommandFailed
from service.cli.use_cases import read_mapping


def read_keys(config: Path, changes: Sequence[str] | None, *, force: bool = False) -> JsonObject:
    """Return the keys of a configuration with the changes of the command line.

    Raises:
        CommandFailed: The file cannot be read, or a change has no `=`.
    """
    keys = read_mapping(config)
    for change in changes or []:
        key, equals, value = change.partition("=")
        if not equals:
            message = f"--set {change}: write KEY=VALUE, for example seed=7."
            raise CommandFailed(message, code="usage")
        keys[key.strip()] = yaml.safe_load(value)
    return {**keys, "force": True} if force else keys


def name_base(keys: JsonObject, base_id: str) -> JsonObject:
    """Return the keys with the served base model where they name none, or just `base`."""
    named = keys.get("model_name_or_path") or "base"
    return {**keys, "model_name_or_path": base_id if named == "base" else named}
