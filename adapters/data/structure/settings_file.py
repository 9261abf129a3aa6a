"""Reads the YAML files of this folder's steps, and says what is wrong with one."""

from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from adapters.errors import InvalidRules

Settings = TypeVar("Settings", bound=BaseModel)


def read_settings_file(file: Path, model: type[Settings]) -> Settings:
    """Return the content of a YAML file as `model`.

    Raises:
        InvalidRules: It cannot be read, or a key or a value of it is wrong; the first is named.
    """
    try:
        return model.model_validate(yaml.safe_load(file.read_text(encoding="utf-8-sig")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as exc:
        raise InvalidRules(f"{file} cannot be read: {exc}") from exc
    except ValidationError as exc:
        first = exc.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        reason = first["msg"].removeprefix("Value error, ")
        raise InvalidRules(f"{file}: {place or 'the file'}: {reason}") from exc
