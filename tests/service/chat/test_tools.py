"""Functions asked for by a schema, and read from what the model wrote."""

import json
from typing import Any

import pytest

from service.chat.tools import FunctionTool, Tools
from service.errors import InvalidRequest

ORDER = FunctionTool(
    "get_order",
    "Look an order up.",
    {"type": "object", "properties": {"number": {"type": "integer"}}, "required": ["number"]},
)
LAMP = FunctionTool("switch", "", {"type": "object", "properties": {"on": {"type": "boolean"}}})


def schema_of(tools: Tools) -> dict[str, Any]:
    asked: Any = tools.as_options()["response_format"]
    assert asked["type"] == "json_schema"
    schema: dict[str, Any] = asked["json_schema"]["schema"]
    return schema


def test_one_function_is_asked_for_by_its_own_schema() -> None:
    assert schema_of(Tools((ORDER,), "required")) == ORDER.parameters


def test_one_of_several_is_asked_for_by_name_and_arguments() -> None:
    first, second = schema_of(Tools((ORDER, LAMP), "required"))["anyOf"]
    assert first["properties"] == {"name": {"const": "get_order"}, "arguments": ORDER.parameters}
    assert second["properties"]["name"] == {"const": "switch"}
    assert first["required"] == ["name", "arguments"]


def test_parts_that_schemas_refer_to_stand_where_references_begin() -> None:
    part: dict[str, Any] = {
        "$defs": {"Day": {"type": "string"}},
        "properties": {"d": {"$ref": "#/$defs/Day"}},
    }
    one, two = FunctionTool("one", "", part), FunctionTool("two", "", part)
    schema = schema_of(Tools((one, two), "required"))
    assert schema["$defs"] == {"Day": {"type": "string"}}
    assert "$defs" not in schema["anyOf"][0]["properties"]["arguments"]
    other = FunctionTool("two", "", {**part, "$defs": {"Day": {"type": "integer"}}})
    with pytest.raises(InvalidRequest, match="'Day'") as refused:
        Tools((one, other), "required").as_options()
    assert refused.value.param == "tools"


def test_a_call_is_read_from_the_answer() -> None:
    (call,) = Tools((ORDER,), "required").read('{"number": 7}')
    assert (call.name, json.loads(call.arguments)) == ("get_order", {"number": 7})
    (other,) = Tools((ORDER, LAMP), "required").read(
        '{"name": "switch", "arguments": {"on": true}}'
    )
    assert (other.name, json.loads(other.arguments)) == ("switch", {"on": True})
    assert call.call_id != other.call_id


@pytest.mark.parametrize("text", ['{"number": 7', "", '{"name": "switch"}', "[1]"])
def test_a_call_that_was_cut_is_refused_with_the_reason(text: str) -> None:
    with pytest.raises(InvalidRequest, match="max_tokens") as refused:
        Tools((ORDER, LAMP), "required").read(text)
    assert refused.value.param == "max_tokens"


def test_a_choice_left_to_the_model_goes_to_the_model_server() -> None:
    options: dict[str, Any] = Tools((ORDER, LAMP), "auto").as_options()
    assert options["tool_choice"] == "auto"
    assert [tool["function"]["name"] for tool in options["tools"]] == ["get_order", "switch"]
    assert "response_format" not in options


def test_the_model_is_told_of_what_it_must_call() -> None:
    told = Tools((ORDER,), "required").instructions()
    assert "get_order" in told
    assert "Look an order up." in told
    assert "name" not in told.split("\n")[-1]
    assert "name" in Tools((ORDER, LAMP), "required").instructions().split("\n")[-1]
