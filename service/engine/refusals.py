"""What a refusal of the model server means, in words of this service.

The server's own words are for its log and ours: they hold addresses, paths and lines of its source.
It knows statuses and the few sentences of vLLM that say what a caller can change; it does not know
who asked.
"""

import logging
import re

import orjson

from service.errors import (
    ContextLengthExceeded,
    EngineRefused,
    EngineUnavailable,
    InvalidRequest,
    ModelNotFound,
    ServiceError,
    StreamBroken,
)

log = logging.getLogger(__name__)

LOGGED_CHARS = 2_000
_TOO_LONG = re.compile(r"context length|maximum model length|max_model_len", re.IGNORECASE)
_RANK = re.compile(r"rank (\d{1,6}) is greater than max_lora_rank (\d{1,6})")
_OF_SCHEMA = re.compile(r"grammar|schema|guided|structured|regex", re.IGNORECASE)
_BUSY = (429, 502, 503, 504)


def refusal(status: int, answer: bytes, *, model: str | None = None) -> ServiceError:
    """Return the service's error for a refusal, by its status and its words.

    Args:
        status: Of the reply, 400 or more.
        answer: Its body, in whatever form.
        model: The model that was asked for; None where none was.
    """
    reason = _reason(answer)
    log.warning("the model server refused with %d: %s", status, reason)
    if status in _BUSY or "EngineDead" in reason:
        return EngineUnavailable("The model server is not ready.")
    if status == 404 and model is not None:
        return ModelNotFound(f"The model server has no model {model!r}.")
    if rank := _RANK.search(reason):
        return InvalidRequest(
            f"The adapter's rank is {rank[1]}; the model server takes at most {rank[2]} "
            "(max_lora_rank)."
        )
    if status in (400, 422):
        return _invalid(reason)
    return EngineRefused(f"The model server refused the request with status {status}.")


def failure(fault: object) -> ServiceError:
    """Return the service's error for a failure that the server tells inside of a stream."""
    reason = _words(fault)
    log.warning("the model server failed during an answer: %s", reason)
    if isinstance(fault, dict) and fault.get("code") in (400, 422):
        return _invalid(reason)
    return StreamBroken("The model server failed during the answer.")


def _invalid(reason: str) -> ServiceError:
    if _TOO_LONG.search(reason):
        return ContextLengthExceeded("Prompt and answer do not fit the model's context window.")
    if _OF_SCHEMA.search(reason):
        return InvalidRequest(
            "The model server cannot write by this JSON schema: leave out patterns, formats and "
            "recursion.",
            param="response_format",
        )
    return InvalidRequest("The model server cannot use a field of this request.")


def _reason(answer: bytes) -> str:
    try:
        body = orjson.loads(answer)
    except ValueError:
        return answer.decode(errors="replace")[:LOGGED_CHARS]
    return _words(body.get("error", body) if isinstance(body, dict) else body)


def _words(fault: object) -> str:
    message = fault.get("message") if isinstance(fault, dict) else None
    return str(message or fault)[:LOGGED_CHARS]
