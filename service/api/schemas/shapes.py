"""What every body is built on: strict requests, replies and lists.

It knows no noun of the service.
"""

from typing import Annotated, Generic, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue

T = TypeVar("T")

JsonObject = dict[str, JsonValue]
"""An object whose keys somebody else chooses: attributes, metrics, a stored job's arguments."""

AttributeMap = dict[str, str | int | float | bool]
"""What a caller says of a document, to filter by."""


JsonFilter = Annotated[
    JsonObject,
    Field(
        description=(
            'Conditions on the documents\' attributes: `{"NAME": VALUE}` for equal ones, or a '
            "filter object of OpenAI: `type` `eq`, `ne`, `gt`, `gte`, `lt`, `lte`, `in` or `nin` "
            "with `key` and `value`; `and` or `or` with `filters`."
        ),
        examples=[{"type": "gte", "key": "year", "value": 2026}],
    ),
]
"""A filter as it is written; `knowledge.read_filter` reads it and says what is wrong."""


class Body(BaseModel):
    """The body of a request; unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Reply(BaseModel):
    """The body of a reply; readers ignore keys added by a later release."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    @classmethod
    def from_value(cls, value: object, **more: object) -> Self:
        """Return the reply with what `value` has under the same names, and `more`."""
        fields = {name: getattr(value, name) for name in cls.model_fields if hasattr(value, name)}
        return cls.model_validate({**fields, **more}, from_attributes=True)


class ListReply(Reply, Generic[T]):
    """One page of a list."""

    object: Literal["list"] = "list"
    data: list[T]
    has_more: bool = False
