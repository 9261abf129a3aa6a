"""The root of the service's errors, apart from `errors.py` so that other files can add leaves.

It knows what an error tells; it does not know statuses.
"""

from typing import Any


class ServiceError(Exception):
    """Root of the service's errors; the message says what is wrong, `hint` what to do."""

    code: str = "service_error"
    retryable: bool = False
    hint: str = "See the gateway's log for this request id."

    def __init__(self, message: str, *, param: str | None = None, **details: Any) -> None:
        super().__init__(message)
        self.param = param
        self.details = details
