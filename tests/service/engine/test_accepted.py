"""Only named fields reach the model server, each within its limit."""

from typing import Any

import pytest
from pydantic import JsonValue

from service.engine.accepted import (
    MOST_DEPTH,
    MOST_SCHEMA_BYTES,
    MOST_STOP_CHARS,
    MOST_STOPS,
    MOST_TOOLS_BYTES,
    accepted,
)
from service.errors import InvalidRequest

SCHEMA: dict[str, JsonValue] = {"type": "object", "properties": {"a": {"type": "string"}}}


def nested(levels: int) -> JsonValue:
    value: JsonValue = "x"
    for _ in range(levels):
        value = [value]
    return value


def test_a_field_that_is_not_named_is_left_out_at_every_depth() -> None:
    formed: dict[str, Any] = {"name": "n", "schema": SCHEMA, "strict": True, "evil": 1}
    function: dict[str, Any] = {"name": "f", "parameters": SCHEMA, "evil": 1}
    sent: dict[str, JsonValue] = {
        "temperature": 0.0,
        "seed": 7,
        "stop": ["a"],
        "chat_template": "{{ evil }}",
        "n": 9,
        "response_format": {"type": "json_schema", "json_schema": formed, "evil": 1},
        "tools": [{"type": "function", "function": function, "evil": 1}],
        "tool_choice": {"evil": 1},
    }
    assert accepted(sent) == {
        "temperature": 0.0,
        "seed": 7,
        "stop": ["a"],
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "n", "schema": SCHEMA, "strict": True},
        },
        "tools": [{"type": "function", "function": {"name": "f", "parameters": SCHEMA}}],
        "tool_choice": "auto",
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("stop", ["x"] * (MOST_STOPS + 1)),
        ("stop", ["x" * (MOST_STOP_CHARS + 1)]),
        ("stop", "x" * (MOST_STOP_CHARS + 1)),
        ("stop", [""]),
        ("stop", ""),
        ("stop", [7]),
        ("stop", {"a": "b"}),
        ("response_format", {"type": "structural_tag", "structures": []}),
        ("response_format", {"type": ["json_object"]}),
        ("response_format", {}),
        ("response_format", "json_object"),
        ("response_format", {"type": "json_schema", "json_schema": "x"}),
    ],
)
def test_what_is_of_another_kind_or_too_long_is_refused(field: str, value: Any) -> None:
    with pytest.raises(InvalidRequest) as refused:
        accepted({field: value})
    assert refused.value.param == field


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"enum": ["x" * MOST_SCHEMA_BYTES]}, "bytes"),
        ({"a": nested(MOST_DEPTH)}, "deeper"),
        ({"a": nested(100_000)}, "deeper"),
    ],
    ids=["large", "deep", "deeper than the stack"],
)
def test_a_schema_has_a_size_and_a_depth(schema: dict[str, JsonValue], said: str) -> None:
    with pytest.raises(InvalidRequest, match=said):
        accepted({"response_format": {"type": "json_schema", "json_schema": {"schema": schema}}})


def test_functions_have_a_size_and_a_depth() -> None:
    for parameters in ({"enum": ["x" * MOST_TOOLS_BYTES]}, {"a": nested(MOST_DEPTH)}):
        function: dict[str, Any] = {"name": "f", "parameters": parameters}
        with pytest.raises(InvalidRequest) as refused:
            accepted({"tools": [{"type": "function", "function": function}]})
        assert refused.value.param == "tools"


def test_what_is_within_the_limits_passes() -> None:
    stops: list[JsonValue] = ["x" * MOST_STOP_CHARS] * MOST_STOPS
    assert accepted({"stop": stops}) == {"stop": stops}
    fits: JsonValue = {"type": "json_schema", "json_schema": {"schema": nested(MOST_DEPTH - 2)}}
    assert accepted({"response_format": fits}) == {"response_format": fits}
