"""The bodies of `/review_items`."""

from typing import Annotated, Literal, Self

from pydantic import Field

from service.api.schemas.shapes import Body, JsonObject, Reply
from service.stores.review.items import (
    MAX_BATCH_CHARS,
    MAX_NOTE_CHARS,
    ReviewItem,
    ReviewStatus,
)

MAX_ROWS = 10_000  # at once; a sample of a tenth of 100,000 rows

Batch = Annotated[str, Field(min_length=1, max_length=MAX_BATCH_CHARS, pattern=r"^[^\x00-\x1f]+$")]
Note = Annotated[str, Field(max_length=MAX_NOTE_CHARS)]


class TurnBody(Body):
    """One turn of a conversation; `weight` 0: an answer that is not learned."""

    role: Literal["system", "user", "assistant"]
    content: str
    weight: Literal[0, 1] | None = Field(default=None, exclude_if=lambda weight: weight is None)


class RowBody(Body):
    """A row as it is trained on.

    Attributes:
        messages: An optional system turn first, then user and assistant in turn.
        meta: What else the row says.
        file: Name of the file that it comes from.
        line: Its line there, from 1.
    """

    messages: Annotated[tuple[TurnBody, ...], Field(min_length=2, max_length=1000)]
    meta: JsonObject = {}
    file: Annotated[str, Field(min_length=1, max_length=1000)]
    line: Annotated[int, Field(ge=1, lt=2**53)]


class ReviewRequest(Body):
    """Rows to be reviewed, and the name of their batch."""

    batch: Batch
    rows: Annotated[tuple[RowBody, ...], Field(min_length=1, max_length=MAX_ROWS)]


class AcceptRequest(Body):
    """An accepted row.

    Attributes:
        again: Replace an earlier decision.
    """

    note: Note = ""
    again: bool = False


class RejectRequest(AcceptRequest):
    """A rejected row; `note` says why."""


class EditRequest(AcceptRequest):
    """A row that is right once it is changed.

    Attributes:
        messages: The whole conversation as it should be.
    """

    messages: Annotated[tuple[TurnBody, ...], Field(min_length=2, max_length=1000)]


class RowReply(Reply):
    """A row: its conversation, its metadata, and where it comes from."""

    messages: list[TurnBody]
    meta: JsonObject
    file: str
    line: int


class ReviewItemReply(Reply):
    """A row of the review queue.

    Attributes:
        row: As it came.
        edited: As a person has changed it; null where nobody has.
        note: Why, in the reviewer's words.
        reviewed_by: The API key of the reviewer; null without one.
        reviewed_at: Unix seconds; null while it is pending.
        created_at: Unix seconds.
    """

    id: str
    object: Literal["review_item"] = "review_item"
    batch: str
    status: ReviewStatus
    row: RowReply
    edited: RowReply | None
    note: str
    reviewed_by: str | None
    reviewed_at: float | None
    created_at: float

    @classmethod
    def of(cls, item: ReviewItem) -> Self:
        """Return a row of the queue as clients see it."""
        return cls.from_value(item, id=item.item_id)


class AddedReply(Reply):
    """How many rows came into the queue; the batch had the others already."""

    object: Literal["review_batch"] = "review_batch"
    batch: str
    added: int
    already_there: int


class BatchReply(Reply):
    """How many rows of a batch are in each state."""

    id: str = Field(description="The batch's name.")
    object: Literal["review_batch"] = "review_batch"
    pending: int
    accepted: int
    edited: int
    rejected: int


class DeletedBatchReply(Reply):
    """A batch that was deleted with its rows and decisions."""

    id: str = Field(description="The batch's name.")
    object: Literal["review_batch"] = "review_batch"
    deleted: Literal[True] = True
    rows: int
