"""Which functions of a request may or must be called, as OpenAI's protocol says it."""

import re

from pydantic import JsonValue

from service.chat.tools import FunctionTool, Tools
from service.errors import InvalidRequest, ToolsUnsupported

NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
MOST_TOOLS = 128  # OpenAI's own limit


def read_tools(tools: JsonValue, choice: JsonValue, *, parser: str | None) -> Tools | None:
    """Return the functions of a request; None where it has none, or wants none called.

    Args:
        tools: As the client sent them.
        choice: As the client sent it.
        parser: `engine.tool_call_parser`.

    Raises:
        InvalidRequest: They cannot be read.
        ToolsUnsupported: They cannot be done here.
    """
    if tools is None or tools == []:
        if choice in (None, "none", "auto"):
            return None
        raise InvalidRequest(
            "tool_choice names a function and tools is empty.", param="tool_choice"
        )
    if not isinstance(tools, list) or len(tools) > MOST_TOOLS:
        raise InvalidRequest(f"tools is a list of at most {MOST_TOOLS} functions.", param="tools")
    functions = tuple(_function(tool, f"tools[{n}]") for n, tool in enumerate(tools))
    names = [each.name for each in functions]
    if len(set(names)) < len(names):
        raise InvalidRequest("Two tools have the same name.", param="tools")
    match choice:
        case "none":
            return None
        case None | "auto":
            return _left_to_the_model(functions, parser)
        case "required":
            return Tools(functions, "required")
        case {"type": "function", "function": {"name": str(name)}}:
            return Tools(_named(name, functions), "required")
    raise InvalidRequest(
        'tool_choice is "none", "auto", "required" or '
        '{"type": "function", "function": {"name": NAME}}.',
        param="tool_choice",
    )


def _left_to_the_model(functions: tuple[FunctionTool, ...], parser: str | None) -> Tools:
    if parser is None:
        raise ToolsUnsupported(
            "The model here cannot decide by itself whether to call a function: name one in "
            'tool_choice, or send "required" or "none". For a model that was trained for it, set '
            "engine.tool_call_parser.",
            param="tool_choice",
        )
    return Tools(functions, "auto")


def _named(name: str, functions: tuple[FunctionTool, ...]) -> tuple[FunctionTool, ...]:
    found = tuple(each for each in functions if each.name == name)
    if not found:
        known = ", ".join(each.name for each in functions)
        raise InvalidRequest(f"tool_choice names {name!r}; tools has {known}.", param="tool_choice")
    return found


def _function(tool: JsonValue, where: str) -> FunctionTool:
    if not isinstance(tool, dict):
        raise InvalidRequest(f"{where} is an object.", param="tools")
    if tool.get("type") != "function":
        raise ToolsUnsupported(
            f"{where} is no function; only functions can be called.", param="tools"
        )
    function = tool.get("function")
    name = function.get("name") if isinstance(function, dict) else None
    if not isinstance(function, dict) or not isinstance(name, str) or not NAME.fullmatch(name):
        raise InvalidRequest(
            f"{where}.function.name is 1 to 64 letters, digits, _ or -.", param="tools"
        )
    parameters = function.get("parameters")
    if parameters is None:
        parameters = {"type": "object", "properties": {}}
    if not isinstance(parameters, dict):
        raise InvalidRequest(f"{where}.function.parameters is a JSON schema.", param="tools")
    described = function.get("description")
    return FunctionTool(name, described if isinstance(described, str) else "", parameters)
