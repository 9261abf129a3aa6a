"""Read a policy file: YAML with line numbers, and the shape its sections must have.

It checks keys, types and required texts. It does not know what a condition means or whether its
facts exist; `loading.py` compiles those.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, FiniteFloat, StringConstraints
from pydantic import ValidationError as ShapeError

from router.decision import Abstention, Outcome
from router.errors import InvalidPolicy
from router.strategy import Strategy

Where = tuple[str | int, ...]
UnknownMeans = Literal["forbid", "allow"]

# Conditions nest; forty levels are more than anyone can read.
_MOST_NESTED: Final = 40

_NonEmpty = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
_Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]


@dataclass(frozen=True, slots=True)
class PolicyDocument:
    """A parsed file, which can say where in it something is wrong.

    Attributes:
        file: The file, as the caller named it.
        content: The plain content.
        lines: Place in the content to line, counted from 1.
    """

    file: str
    content: object
    lines: Mapping[Where, int]

    def line_of(self, where: Where) -> int | None:
        """Return the line of a place, or of the nearest known one around it."""
        around = (where[:n] for n in range(len(where), -1, -1))
        return next((self.lines[place] for place in around if place in self.lines), None)

    def fault(self, where: Where, reason: str) -> InvalidPolicy:
        """Return the error for one place in the file; the nearest known line is named."""
        line = self.line_of(where)
        return InvalidPolicy(file=self.file, key=spell(where), reason=reason, line=line)


class _Schema(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ReasonSchema(_Schema):
    """A reason in both languages."""

    zh: _NonEmpty
    en: _NonEmpty


class ThresholdSchema(_Schema):
    """A number or text that rules name, with where it comes from."""

    value: bool | int | FiniteFloat | _NonEmpty
    source: _NonEmpty
    unit: str = ""


class ConditionalSchema(_Schema):
    """What every rule with a condition has.

    `unless` true makes the rule false. `unless` unknown does not hold the rule back.
    """

    id: _Name
    when: object
    unless: object = None
    because: ReasonSchema


class HardRuleSchema(ConditionalSchema):
    """An eligibility rule.

    `unknown` says what an unknown condition means. `asked: allow` lets a caller who names a
    forbidden strategy have it: the rule then only binds the automatic choice.
    """

    forbid: list[Strategy] = Field(min_length=1)
    unknown: UnknownMeans
    asked: UnknownMeans = "forbid"


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


_Preferred = Annotated[list[Strategy], Field(min_length=1), BeforeValidator(_as_list)]


class PreferenceSchema(ConditionalSchema):
    """An evidence or preference rule: the first eligible strategy of `prefer` wins."""

    prefer: _Preferred


class DeclineSchema(ConditionalSchema):
    """Requests that are refused at once: nothing is retrieved or generated.

    `or_prompt_only` allows a labelled answer without passages; `reason` says why it abstains.
    """

    reason: Abstention = "out_of_scope"
    or_prompt_only: bool = False


class PilotSchema(ConditionalSchema):
    """When an adapter's answers are marked as a pilot."""


class FallbackSchema(_Schema):
    """What answers when no rule does, in this order."""

    prefer: _Preferred
    because: ReasonSchema


class SettleRuleSchema(ConditionalSchema):
    """One outcome after retrieval.

    `or_prompt_only` allows a labelled answer without passages; `reason` says why it abstains.
    """

    outcome: Outcome
    or_prompt_only: bool = False
    reason: Abstention | None = None


class SettleSchema(_Schema):
    """The ordered rules after retrieval, and the reasons where none of them holds."""

    rules: list[SettleRuleSchema] = []
    otherwise: ReasonSchema
    without_retrieval: ReasonSchema


class PolicySchema(_Schema):
    """A whole policy file."""

    name: _Name
    thresholds: dict[_Name, ThresholdSchema] = {}
    hard: list[HardRuleSchema] = []
    decline: list[DeclineSchema] = []
    evidence: list[PreferenceSchema] = []
    preference: list[PreferenceSchema] = []
    pilot: PilotSchema | None = None
    fallback: FallbackSchema
    settle: SettleSchema


def read_document(text: str, *, file: str) -> PolicyDocument:
    """Parse YAML, keeping the line of every key.

    Args:
        text: The YAML text.
        file: What to call it in errors.

    Returns:
        The document.

    Raises:
        InvalidPolicy: Not YAML, a key twice, an anchor or alias, or nested too deeply.
    """
    lines: dict[Where, int] = {}
    try:
        _refuse_aliases_and_depth(text, file)
        loader = yaml.SafeLoader(text)
        root = loader.get_single_node()
        content = None if root is None else _plain(loader, root, (), lines, file)
    except yaml.YAMLError as exc:
        line = _line_of(getattr(exc, "problem_mark", None))
        problem = getattr(exc, "problem", None) or "unreadable"
        raise InvalidPolicy(file=file, key="", reason=f"not YAML: {problem}", line=line) from exc
    except ValueError as exc:
        raise InvalidPolicy(file=file, key="", reason=f"unreadable value: {exc}") from exc
    return PolicyDocument(file=file, content=content, lines=lines)


def validate_policy(document: PolicyDocument) -> PolicySchema:
    """Check the document's shape.

    Returns:
        The typed sections, conditions still as written.

    Raises:
        InvalidPolicy: A section is missing, misspelt or of another type; the first fault is named.
    """
    try:
        return PolicySchema.model_validate(document.content)
    except ShapeError as exc:
        first = exc.errors(include_url=False)[0]
        raise document.fault(_place(first["loc"]), first["msg"]) from exc


def _refuse_aliases_and_depth(text: str, file: str) -> None:
    """Refuse what would make a small file large or deep: aliases, and nesting without end."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        reason = "aliases are not allowed" if isinstance(event, yaml.AliasEvent) else ""
        if depth > _MOST_NESTED:
            reason = "nested too deeply"
        if reason:
            line = _line_of(event.start_mark)
            raise InvalidPolicy(file=file, key="", reason=reason, line=line)


def _plain(
    loader: yaml.SafeLoader, node: yaml.Node, where: Where, lines: dict[Where, int], file: str
) -> object:
    """Return a node's plain content, and note the line of every key and item on the way."""
    line = node.start_mark.line + 1
    lines.setdefault(where, line)
    if isinstance(node, yaml.MappingNode):
        content: dict[str, object] = {}
        for key_node, value in node.value:
            key = str(loader.construct_object(key_node, deep=True))
            place = (*where, key)
            line = lines[place] = key_node.start_mark.line + 1
            if key in content:
                raise InvalidPolicy(file=file, key=spell(place), reason="given twice", line=line)
            content[key] = _plain(loader, value, place, lines, file)
        return content
    if isinstance(node, yaml.SequenceNode):
        return [_plain(loader, item, (*where, i), lines, file) for i, item in enumerate(node.value)]
    plain: object = loader.construct_object(node, deep=True)
    return plain


def _line_of(mark: object) -> int | None:
    line = getattr(mark, "line", None)
    return line + 1 if isinstance(line, int) else None


def _place(loc: tuple[str | int, ...]) -> Where:
    """Return pydantic's location without the names of union members it inserts."""
    while loc and loc[-1] in ("bool", "int", "float", "finite-float", "constrained-str"):
        loc = loc[:-1]
    return loc


def spell(where: Where) -> str:
    """Return a place as people write it, e.g. `hard[2].when`."""
    text = ""
    for part in where:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
