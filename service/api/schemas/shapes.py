"""What every body is built on: strict requests, replies, lists and errors.

It knows no noun of the service.
"""

from typing import Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, JsonValue

T = TypeVar("T")

JsonObject = dict[str, JsonValue]
"""An object whose keys somebody else chooses: attributes, metrics, a stored job's arguments."""


class Body(BaseModel):
    """A request's body; unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Reply(BaseModel):
    """A reply's body; whoever reads one ignores keys that a later release added."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class ListReply(Reply, Generic[T]):
    """One page of a list."""

    object: Literal["list"] = "list"
    data: list[T]
    has_more: bool = False


class ErrorDetail(Reply):
    """The part of an error body that OpenAI's clients read."""

    message: str
    type: Literal["invalid_request_error", "server_error"]
    param: str | None
    code: str


class ErrorReply(Reply):
    """The body of every error: RFC 9457 and an OpenAI error envelope in one."""

    model_config = ConfigDict(frozen=True, extra="allow")

    type: str
    title: str
    status: int
    detail: str
    instance: str
    request_id: str
    hint: str | None = None
    error: ErrorDetail
