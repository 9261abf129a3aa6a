"""A validator's faults in plain words: which field, as the client wrote it, and what is wrong.

The one place that words them. It knows pydantic's errors; it does not know any noun's fields.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Path = tuple[str | int, ...]
PydanticError = Mapping[str, Any]

MOST_SHOWN_CHARS = 40  # of a text that is not what was expected: enough to recognise it
MOST_SHOWN_FAULTS = 5  # in the message; the list `errors` names all
_PLACES = {
    "query": "query parameter",
    "path": "path parameter",
    "header": "header",
    "cookie": "cookie",
}
_EXPECTED = {
    "text": ("string_type", "bytes_type"),
    "true or false": ("bool_type", "bool_parsing"),
    "a whole number": ("int_type", "int_parsing", "int_from_float"),
    "a number": ("float_type", "float_parsing"),
    "a finite number": ("finite_number",),
    "a list": ("list_type", "tuple_type", "set_type", "frozen_set_type"),
    "an object": (
        *("dict_type", "mapping_type", "model_type"),
        *("model_attributes_type", "dataclass_type"),
    ),
    "null": ("none_required",),
}
_TYPES = {kind: words for words, kinds in _EXPECTED.items() for kind in kinds}
_BOUNDS = {
    "greater_than": ("more than", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("less than", "lt"),
    "less_than_equal": ("at most", "le"),
}
_LENGTHS = {
    "too_short": ("at least", "min_length", ("entry", "entries")),
    "too_long": ("at most", "max_length", ("entry", "entries")),
    "string_too_short": ("at least", "min_length", ("character", "characters")),
    "string_too_long": ("at most", "max_length", ("character", "characters")),
}
_SENTENCES = {
    "missing": "is missing",
    "extra_forbidden": "is not a known field",
    "int_parsing_size": "is too large a number",
    "string_unicode": "holds a character that UTF-8 cannot encode",
    "recursion_loop": "is nested too deeply",
    "recursion_depth_exceeded": "is nested too deeply",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one field.

    Attributes:
        field: Where it stands, as `messages[2].content`; empty: the body as a whole.
        reason: What is wrong with it, to be read after its name.
        place: What the field is where it is not in the body: "header", "query parameter" …
    """

    field: str
    reason: str
    place: str = ""

    def said_of(self, whole: str) -> str:
        """Return the whole sentence, without a full stop.

        Args:
            whole: What to call that in which the field stands.
        """
        name = f"`{self.field}`" if self.field else whole
        gap = " " if self.reason.split(" ")[0] in ("must", "is", "holds") else ": "
        return f"{self.place} {name}{gap}{self.reason}".strip()


def faults_of(errors: Sequence[PydanticError], body: object) -> list[Fault]:
    """Return each fault once, in the order in which the validator found them.

    Args:
        errors: As pydantic and FastAPI give them; the first part of `loc` says where it is.
        body: As it was sent: only what stands in it is part of a field's name.
    """
    grouped: dict[tuple[str, Path], list[PydanticError]] = {}
    for error in errors:
        place, *rest = error["loc"] or ("body",)
        path = _path(rest, error, body) if place == "body" else tuple(rest[:2])
        grouped.setdefault((_PLACES.get(str(place), ""), path), []).append(error)
    return [
        Fault(_written(path), reason_of(found), place)
        for (place, path), found in grouped.items()
        if not any(_is_below(other, (place, path)) for other in grouped)
    ]


def message_of(faults: Sequence[Fault]) -> str:
    """Return the faults as one message, the first ones where there are many."""
    said = "; ".join(fault.said_of("the body") for fault in faults[:MOST_SHOWN_FAULTS])
    more = len(faults) - MOST_SHOWN_FAULTS
    return f"The request is malformed: {said}" + (f"; and {more} more." if more > 0 else ".")


def row_faults(errors: Sequence[PydanticError], row: object) -> str:
    """Return what is wrong with one row of many, as it was sent."""
    placed = [{**error, "loc": ("body", *error["loc"])} for error in errors]
    return "; ".join(fault.said_of("the row") for fault in faults_of(placed, row))


def reason_of(errors: Sequence[PydanticError]) -> str:
    """Return what is wrong with one field, to be read after its name.

    Args:
        errors: All of that field: where it may have several forms, there is one for each.
    """
    value = errors[0].get("input")
    if isinstance(value, bytes):
        return "is not read as JSON: send the header `content-type: application/json`"
    told = [error for error in errors if _expected(error) is None]
    if told:
        return " and ".join(dict.fromkeys(_told(error) for error in told))
    expected = dict.fromkeys(str(_expected(error)) for error in errors)
    return f"must be {' or '.join(expected)}; it is {_shown(value)}"


def _path(parts: Sequence[str | int], error: PydanticError, body: object) -> Path:
    """Return where a fault stands in the body, without the validator's names of its own steps."""
    if error["type"] == "json_invalid":
        return ()
    path: list[str | int] = []
    values = [body]
    for number, part in enumerate(parts, start=1):
        value = values[-1]
        if isinstance(value, dict) and part in value:
            values.append(value[part])
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            values.append(value[part])
        elif error["type"] == "missing" and number == len(parts):
            return (*path, part)
        else:
            continue  # which of several allowed forms was tried
        path.append(part)
    sent = error.get("input")
    about = [n for n, value in enumerate(values) if value is sent or value == sent]
    return tuple(path[: about[-1]] if about else path)  # a form may be named as a key is


def _written(path: Path) -> str:
    written = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return written.removeprefix(".")


def _is_below(other: tuple[str, Path], one: tuple[str, Path]) -> bool:
    """Return whether a fault lies within what another is about: that it is told by the inner."""
    (other_place, below), (place, path) = other, one
    return other_place == place and len(below) > len(path) and below[: len(path)] == path


def _expected(error: PydanticError) -> str | None:
    """Return what is allowed in place of a value of the wrong type; None: the type is right."""
    if error["type"] in ("literal_error", "enum"):
        return str(error["ctx"]["expected"])
    return _TYPES.get(error["type"])


def _told(error: PydanticError) -> str:
    kind, context = error["type"], error.get("ctx") or {}
    if kind in _BOUNDS:
        words, bound = _BOUNDS[kind]
        return f"must be {words} {context[bound]}; it is {_shown(error.get('input'))}"
    if kind in _LENGTHS:
        return _length(kind, context, error.get("input"))
    if kind == "json_invalid":
        return f"is not JSON: {context.get('error', 'it cannot be read')}"
    if kind == "string_pattern_mismatch":
        return f"must match {context['pattern']}; it is {_shown(error.get('input'))}"
    if kind == "value_error":
        return str(context.get("error", error["msg"]))
    return _SENTENCES.get(kind) or str(error["msg"]).replace("Input should be", "must be")


def _length(kind: str, context: Mapping[str, Any], value: object) -> str:
    words, bound, (one, many) = _LENGTHS[kind]
    number = context[bound]
    seen = f"; it has {len(value):,}" if isinstance(value, str | list) else ""
    return f"must have {words} {number:,} {one if number == 1 else many}{seen}"


def _shown(value: object) -> str:
    """Return what was sent instead, in few words."""
    if isinstance(value, str):
        short = value[:MOST_SHOWN_CHARS]
        return json.dumps(short + "…" if short != value else value, ensure_ascii=False)
    if isinstance(value, bool | int | float) or value is None:
        return json.dumps(value)[:MOST_SHOWN_CHARS]
    return "a list" if isinstance(value, list | tuple) else "an object"
