"""Errors of requests sent twice or too often, and of decisions made twice.

`errors.py` has their statuses.
"""

from service.service_error import ServiceError


class IdempotencyKeyReused(ServiceError):
    """The idempotency key was sent before with another request."""

    code = "idempotency_key_reused"
    hint = "Send a new Idempotency-Key; the same one only repeats the same request."


class IdempotencyInProgress(ServiceError):
    """The first request with this idempotency key has not been answered yet."""

    code = "idempotency_in_progress"
    retryable = True
    hint = "Send the request again in a few seconds: the first answer is then repeated."


class AlreadyReviewed(ServiceError):
    """Somebody has decided about this row of the review queue already."""

    code = "already_reviewed"
    hint = "Look at the row again; send `again: true` (`--again`) to replace the decision."


class LimitReached(ServiceError):
    """A limit of the key or of the tenant is used up; `retry_after_s` says until when."""

    code = "limit_reached"
    retryable = True
    hint = "Wait as long as retry-after says; [limits] in fingerpost.toml sets the limits."
