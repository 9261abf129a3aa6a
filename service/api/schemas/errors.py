"""The body of every error, of the gateway and of a command: one function, and its schema.

It knows the shape; which error has which status stands in `service/errors.py`.
"""

from typing import Literal

from pydantic import ConfigDict, Field, JsonValue

from service.api.schemas.shapes import JsonObject, Reply
from service.errors import error_fields, status_of
from service.messages.spoken import hint_of, title_of


class ErrorDetail(Reply):
    """The part of an error body that OpenAI's clients read."""

    message: str
    type: Literal["invalid_request_error", "server_error"]
    param: str | None = Field(description="The field to correct, if there is one.")
    code: str = Field(description="Stable name of the error.")


class ErrorReply(Reply):
    """The body of every error: RFC 9457 and an OpenAI error envelope in one.

    An error may add keys of its own, such as `rule`, `reasons` or `line`.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    type: str = Field(description="`urn:fingerpost:problem:` and the code.")
    title: str
    status: int
    detail: str = Field(description="What happened, in one or two sentences.")
    instance: str = Field(description="Path of the request.")
    request_id: str
    hint: str = Field(default="", description="What to do about it.")
    retryable: bool = Field(
        default=False, description="Whether the same request may succeed later."
    )
    error: ErrorDetail


def error_body(
    status: int,
    message: str,
    *,
    code: str,
    hint: str = "",
    param: str | None = None,
    **more: JsonValue,
) -> JsonObject:
    """Return the body of an error; its title and hint are in the language in force.

    Args:
        status: Of HTTP, or what it would be.
        message: What happened.
        code: Stable name of it.
        hint: What to do about it, in English or said in the language already.
        param: The field that is to be corrected.
        more: What else the error names; the gateway adds `instance` and `request_id`.
    """
    kind = "invalid_request_error" if status < 500 else "server_error"
    return {
        "type": f"urn:fingerpost:problem:{code}",
        "title": title_of(code),
        "status": status,
        "detail": message,
        "hint": hint_of(code, hint),
        **more,
        "error": {"message": message, "type": kind, "param": param, "code": code},
    }


def error_body_of(exc: Exception, **more: JsonValue) -> JsonObject:
    """Return the body of one of our own errors, with what it names.

    Args:
        exc: The error.
        more: What else belongs into the body.
    """
    fields = error_fields(exc)
    message, code = fields.pop("message"), fields.pop("code")
    return error_body(status_of(exc), message, code=code, **{**fields, **more})
