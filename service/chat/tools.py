"""Functions that a caller lets the model call: asked for by a schema, and read from the answer.

A function that must be called needs nothing of the model: its arguments are a schema, and what the
model writes fits it. Whether to call one at all is a choice only some models were trained for, and
only a parser of the model server can read. It knows no strategy and no protocol.
"""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import JsonValue

from service.engine.generation import ToolCall
from service.errors import InvalidRequest

Schema = Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class FunctionTool:
    """A function as the caller describes it."""

    name: str
    description: str
    parameters: Schema

    def as_json(self) -> dict[str, JsonValue]:
        """Return the function as the protocol writes it."""
        function: dict[str, JsonValue] = {"name": self.name, "parameters": dict(self.parameters)}
        if self.description:
            function["description"] = self.description
        return {"type": "function", "function": function}


@dataclass(frozen=True, slots=True)
class Tools:
    """The functions of a request.

    Attributes:
        functions: At least one.
        choice: `required`: one of them is called; `auto`: the model may answer in text instead.
    """

    functions: tuple[FunctionTool, ...]
    choice: Literal["auto", "required"]

    @property
    def is_required(self) -> bool:
        """Whether the answer is a call and nothing else."""
        return self.choice == "required"

    def instructions(self) -> str:
        """Return what the model is told of the functions where it must call one."""
        functions = [each.as_json()["function"] for each in self.functions]
        described = [json.dumps(each, ensure_ascii=False) for each in functions]
        wanted = (
            "Answer with the arguments of the function as JSON."
            if len(described) == 1
            else 'Answer with the name and the arguments of one function as JSON: {"name": …, '
            '"arguments": …}.'
        )
        return "\n".join(["Functions:", *described, wanted])

    def as_options(self) -> dict[str, JsonValue]:
        """Return the fields by which the model server is asked.

        Raises:
            InvalidRequest: Two functions define a part of their schemas differently.
        """
        if not self.is_required:
            return {"tools": [each.as_json() for each in self.functions], "tool_choice": "auto"}
        only = self.functions[0].parameters
        schema: JsonValue = self._call() if len(self.functions) > 1 else dict(only)
        asked: JsonValue = {"name": "function_call", "schema": schema, "strict": True}
        return {"response_format": {"type": "json_schema", "json_schema": asked}}

    def read(self, text: str) -> tuple[ToolCall, ...]:
        """Return the call that `text` is.

        Raises:
            InvalidRequest: The answer was cut before the call was whole.
        """
        try:
            call = json.loads(text)
            name, arguments = self.functions[0].name, call
            if len(self.functions) > 1:
                name, arguments = call["name"], call["arguments"]
        except (ValueError, TypeError, KeyError) as exc:
            raise InvalidRequest(
                "The function's arguments did not fit into max_tokens; allow more tokens.",
                param="max_tokens",
            ) from exc
        written = json.dumps(arguments, ensure_ascii=False)
        return (ToolCall(f"call_{uuid.uuid4().hex[:24]}", name, written),)

    def _call(self) -> dict[str, JsonValue]:
        return {
            "anyOf": [_call_schema(each) for each in self.functions],
            "$defs": self._definitions(),
        }

    def _definitions(self) -> dict[str, JsonValue]:
        """Return the parts that the schemas refer to: references start at the root."""
        found: dict[str, JsonValue] = {}
        for each in self.functions:
            parts = each.parameters.get("$defs", {})
            for name, part in parts.items() if isinstance(parts, dict) else ():
                if found.setdefault(name, part) != part:
                    raise InvalidRequest(
                        f"Two functions define {name!r} in $defs differently; give one another "
                        "name.",
                        param="tools",
                    )
        return found


def _call_schema(function: FunctionTool) -> dict[str, JsonValue]:
    arguments = {name: part for name, part in function.parameters.items() if name != "$defs"}
    return {
        "type": "object",
        "properties": {"name": {"const": function.name}, "arguments": arguments},
        "required": ["name", "arguments"],
        "additionalProperties": False,
    }
