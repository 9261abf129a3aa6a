"""What every body is built on: strict requests, replies and lists.

It knows no noun of the service.
"""

from typing import Annotated, Any, Generic, Literal, Self, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    JsonValue,
    model_validator,
)
from pydantic_core import CoreSchema

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


class NullableBody(BaseModel):
    """A body in which null for an optional field is the same as leaving the field out.

    Clients write every field they know, with null where nothing is set.
    """

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, body: object) -> object:
        if not isinstance(body, dict):
            return body
        fields = cls.model_fields
        optional = {name for name, field in fields.items() if not field.is_required()}
        return {
            key: value for key, value in body.items() if value is not None or key not in optional
        }

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Return the schema, in which an optional field may be null."""
        schema = handler(core_schema)
        whole = handler.resolve_ref_schema(schema)
        for name, field in cls.model_fields.items():
            if not field.is_required() and name in whole["properties"]:
                whole["properties"][name] = _or_null(whole["properties"][name])
        return schema


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a field that may be null as well."""
    null = {"type": "null"}
    if null in schema.get("anyOf", ()):
        return schema
    notes = ("title", "description", "default", "examples")
    inner = {key: value for key, value in schema.items() if key not in notes}
    outer = {key: value for key, value in schema.items() if key in notes}
    forms = inner["anyOf"] if inner.keys() == {"anyOf"} else [inner]
    return {"anyOf": [*forms, null], **outer}


class Body(NullableBody):
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
