"""Parameters that several endpoints take: pages of a list, and the caller's name for a request."""

from typing import Annotated

from fastapi import Header, Query

Limit = Annotated[
    int, Query(description="Maximum number of entries, clamped to the allowed range.")
]
After = Annotated[str | None, Query(description="Last `id` of the previous page.")]
IdempotencyKey = Annotated[
    str | None,
    Header(
        max_length=200,
        description="Sent again by the same API key, it returns the first request's job or batch.",
    ),
]
