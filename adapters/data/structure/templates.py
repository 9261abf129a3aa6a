"""Templates of rows: `{name}` stands for what was found under that name; `{{` is a brace.

It knows names and values; it does not know where the values come from.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from string import Formatter
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue

from adapters.data.rows import Message

_FORMATTER = Formatter()


def _parse(template: str) -> list[tuple[str, str | None]]:
    parts = []
    for text, name, form, conversion in _FORMATTER.parse(template):
        if form or conversion:
            raise ValueError(f"{{{name}}}: a name alone stands between braces")
        if name is not None and not name.isidentifier():
            raise ValueError(f"{{{name}}} is no name; write {{{{ and }}}} for braces")
        parts.append((text, name))
    return parts


def _check(template: str) -> str:
    _parse(template)
    return template


Template = Annotated[str, AfterValidator(_check)]


class RowTemplate(BaseModel):
    """One row, as Alpaca names its parts.

    Attributes:
        instruction: The question, or what is to be done.
        input: The text that it is about; empty where the question stands alone.
        output: The answer; an object or a list becomes JSON, its texts filled in.
        system: System turn, if any.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    instruction: Annotated[Template, Field(min_length=1)]
    input: Template = ""
    output: JsonValue
    system: Template = ""

    def names(self) -> set[str]:
        """Return the names that the templates use; raises ValueError for a bad template."""
        texts = [self.instruction, self.input, self.system, *_texts_in(self.output)]
        return set().union(*map(_names, texts))

    def fill(self, values: Mapping[str, JsonValue]) -> tuple[Message, ...] | None:
        """Return the conversation; None without an answer, or with a gap in the question."""
        if any(not as_plain(values.get(name)).strip() for name in _names(self.instruction)):
            return None
        question = fill(self.instruction, values).strip()
        answer = as_plain(_filled(self.output, values)).strip()
        if not question or not answer:
            return None
        if material := fill(self.input, values).strip():
            question = f"{question}\n\n{material}"
        turns = (Message("user", question), Message("assistant", answer))
        system = fill(self.system, values).strip()
        return (Message("system", system), *turns) if system else turns


def names_in(templates: Mapping[str, str]) -> set[str]:
    """Return the names that templates use."""
    return set().union(*map(_names, templates.values()))


def require_known(names: Collection[str], known: Collection[str]) -> None:
    """Refuse templates with a name that nothing stands for.

    Raises:
        ValueError: Names the first, and those there are.
    """
    if unknown := sorted(set(names) - set(known)):
        there = ", ".join(sorted(known))
        raise ValueError(f"{{{unknown[0]}}} stands for nothing; there are {there}")


def fill(template: str, values: Mapping[str, JsonValue]) -> str:
    """Return the text; what is no text is written as JSON, a missing value is empty."""
    return "".join(
        text + ("" if name is None else as_plain(values.get(name)))
        for text, name in _parse(template)
    )


def as_plain(value: JsonValue) -> str:
    """Return a value as it stands in a text."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _names(template: str) -> set[str]:
    return {name for _, name in _parse(template) if name is not None}


def _texts_in(value: JsonValue) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts_in(inner)


def _filled(value: JsonValue, values: Mapping[str, JsonValue]) -> JsonValue:
    if isinstance(value, str):
        return fill(value, values)
    if isinstance(value, list):
        return [_filled(inner, values) for inner in value]
    if isinstance(value, dict):
        return {key: _filled(inner, values) for key, inner in value.items()}
    return value
