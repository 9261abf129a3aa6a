"""The fields that go to the model server: an allow-list, with a limit on each.

The server understands many more, some of which run code, name files or take all of its memory.
What is not named here does not reach it, at any depth. It knows the chat-completions protocol; it
does not know who sent a field.
"""

from collections.abc import Mapping

import orjson
from pydantic import JsonValue

from service.errors import InvalidRequest

PLAIN = ("temperature", "top_p", "max_tokens", "seed")
MOST_STOPS = 16  # OpenAI takes 4, vLLM any number
MOST_STOP_CHARS = 200
MOST_SCHEMA_BYTES = 64 * 2**10  # a choice: schemas in use have some kB; compiling takes time
MOST_TOOLS_BYTES = 256 * 2**10  # 128 functions of 2 kB, OpenAI's most
MOST_DEPTH = 32  # of a schema; OpenAI takes 10 levels of objects, each two levels of JSON
FORMATS = ("text", "json_object", "json_schema")
OF_SCHEMA = ("name", "description", "schema", "strict")
OF_FUNCTION = ("name", "description", "parameters", "strict")


def accepted(options: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Return what of `options` may reach the model server.

    Raises:
        InvalidRequest: A field is too large, nested too deep, or of a kind that is not offered.
    """
    found = {name: options[name] for name in PLAIN if name in options}
    if "stop" in options:
        found["stop"] = _stops(options["stop"])
    if "response_format" in options:
        found["response_format"] = _response_format(options["response_format"])
    if "tools" in options:
        found["tools"] = _tools(options["tools"])
        found["tool_choice"] = "auto"
    return found


def _stops(stop: JsonValue) -> JsonValue:
    stops = [stop] if isinstance(stop, str) else stop
    if not isinstance(stops, list) or len(stops) > MOST_STOPS:
        raise InvalidRequest(f"stop is at most {MOST_STOPS} texts.", param="stop")
    if not all(isinstance(each, str) and 1 <= len(each) <= MOST_STOP_CHARS for each in stops):
        raise InvalidRequest(
            f"Each text of stop has 1 to {MOST_STOP_CHARS} characters.", param="stop"
        )
    return stop


def _response_format(asked: JsonValue) -> dict[str, JsonValue]:
    kind = asked.get("type") if isinstance(asked, dict) else None
    if not isinstance(asked, dict) or kind not in FORMATS:
        raise InvalidRequest(
            f"response_format.type is one of {', '.join(FORMATS)}.", param="response_format"
        )
    if kind != "json_schema":
        return {"type": kind}
    described = asked.get("json_schema")
    if not isinstance(described, dict):
        raise InvalidRequest(
            "response_format.json_schema is an object with name and schema.",
            param="response_format",
        )
    kept = {key: described[key] for key in OF_SCHEMA if key in described}
    _limit(kept, "response_format", MOST_SCHEMA_BYTES)
    return {"type": kind, "json_schema": kept}


def _tools(tools: JsonValue) -> list[JsonValue]:
    kept: list[JsonValue] = []
    for tool in tools if isinstance(tools, list) else ():
        function = tool.get("function") if isinstance(tool, dict) else None
        if isinstance(function, dict):
            named = {key: function[key] for key in OF_FUNCTION if key in function}
            kept.append({"type": "function", "function": named})
    _limit(kept, "tools", MOST_TOOLS_BYTES)
    return kept


def _limit(value: JsonValue, name: str, most_bytes: int) -> None:
    if _depth(value) > MOST_DEPTH:
        raise InvalidRequest(f"{name} is nested deeper than {MOST_DEPTH} levels.", param=name)
    if len(orjson.dumps(value)) > most_bytes:
        raise InvalidRequest(f"{name} has more than {most_bytes} bytes of JSON.", param=name)


def _depth(value: JsonValue) -> int:
    """Return how deep a value is nested, counted level by level as it may exceed the stack."""
    level, depth = [value], 0
    while level and depth <= MOST_DEPTH:
        inner: list[JsonValue] = []
        for each in level:
            if isinstance(each, dict):
                inner.extend(each.values())
            elif isinstance(each, list):
                inner.extend(each)
        level, depth = inner, depth + 1
    return depth
