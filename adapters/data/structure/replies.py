"""What a model replies when JSON of a schema is asked for: read, checked, never trusted.

It knows JSON and its schemas; it does not know who generates.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from pydantic import JsonValue

Generate = Callable[[str, Mapping[str, JsonValue]], str]
"""Returns what a model writes to a prompt when JSON of a schema is asked for; for several threads.

The reply may be cut, or anything else than that JSON; it is empty where the prompt does not fit the
model. An error of its own ends the step.
"""

MAX_TOLD_CHARS = 200


class UnusableReply(Exception):
    """A reply that no row is made of; never leaves this room.

    Attributes:
        reason: A short code.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


def require_schema(schema: Mapping[str, JsonValue]) -> None:
    """Refuse what is no JSON schema of an object.

    Raises:
        ValueError: As named.
    """
    try:
        Draft202012Validator.check_schema(dict(schema))
    except SchemaError as exc:
        raise ValueError(f"not a JSON schema: {exc.message}") from exc
    if schema.get("type") != "object":
        raise ValueError("the schema describes an object: `type: object`")


def read_reply(reply: str, schema: Mapping[str, JsonValue]) -> dict[str, Any]:
    """Return the object in a reply.

    Raises:
        UnusableReply: It is not JSON, or not of the schema.
    """
    if not reply.strip():
        raise UnusableReply("no_reply", "the model wrote nothing: the text may be too long for it")
    text = reply.strip().removeprefix("```json").removeprefix("```").removesuffix("```")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise UnusableReply("not_json", f"the reply is not JSON: {_short(reply)}") from exc
    error = next(Draft202012Validator(dict(schema)).iter_errors(value), None)
    if error is not None:
        raise UnusableReply("not_of_the_schema", f"{error.json_path}: {_short(error.message)}")
    assert isinstance(value, dict)
    return value


def _short(text: str) -> str:
    return text if len(text) <= MAX_TOLD_CHARS else f"{text[:MAX_TOLD_CHARS]}…"
