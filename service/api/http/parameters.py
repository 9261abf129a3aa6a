"""Parameters that several endpoints take: pages of a list, and the caller's name for a request."""

from typing import Annotated

from fastapi import Header, Query

Limit = Annotated[
    int, Query(description="Most entries of the page; what is out of range is brought into it.")
]
After = Annotated[str | None, Query(description="The `id` that ended the page before.")]
IdempotencyKey = Annotated[
    str | None,
    Header(max_length=200, description="The same key again starts nothing a second time."),
]
