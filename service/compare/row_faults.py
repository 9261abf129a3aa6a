"""What is wrong with a row of a question set or of outcomes, in plain words.

It knows the kinds of fault that pydantic finds; it does not know what the rows are for.
"""

from collections.abc import Mapping

from pydantic import ValidationError
from pydantic_core import ErrorDetails

_WORDS: Mapping[str, str] = {
    "missing": "is missing",
    "extra_forbidden": "is not a known key",
    "string_type": "must be text",
    "string_too_short": "must not be empty",
    "float_type": "must be a number",
    "finite_number": "must be a number",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "dict_type": "must be an object",
    "mapping_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
}
_WITH_LIMIT: Mapping[str, tuple[str, str]] = {
    "string_too_long": ("must have at most {} characters", "max_length"),
    "greater_than_equal": ("must be at least {}", "ge"),
    "less_than_equal": ("must be at most {}", "le"),
    "literal_error": ("must be one of {}", "expected"),
    "enum": ("must be one of {}", "expected"),
}


def faults_of(exc: ValidationError) -> str:
    """Return every fault of a row, each with its key, e.g. "kind: must be one of 'fact', ..."."""
    found: dict[str, str] = {}
    for error in exc.errors():
        found.setdefault(_place(error), _words(error))  # of several readings the first
    return "; ".join(f"{place}: {words}" for place, words in found.items())


def _place(error: ErrorDetails) -> str:
    """Return the key; the names that pydantic gives to the readings of a value are left out."""
    parts = [str(part) for part in error["loc"] if not str(part).endswith("]")]
    return ".".join(parts) or "row"


def _words(error: ErrorDetails) -> str:
    kind, context = error["type"], error.get("ctx", {})
    if kind == "value_error":
        return str(context.get("error", error["msg"]))
    if kind in _WITH_LIMIT:
        words, limit = _WITH_LIMIT[kind]
        return words.format(context.get(limit, ""))
    return _WORDS.get(kind, "is not valid")
