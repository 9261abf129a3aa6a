"""Checks of training data, and its rows that people review."""

from service.api.schemas.shapes import JsonObject
from service.cli.replies.jobs import IdReply
from service.cli.replies.reading import Reading


class RowEvidence(Reading):
    """A row that a data check names."""

    line: int
    reason: str
    text: str


class CheckReply(Reading):
    """One of the five checks of training data."""

    name: str
    status: str
    value: float | None
    unit: str
    needed: str
    missing: str | None
    evidence: list[RowEvidence]
    found: int


class DataCheckReply(Reading):
    """The five checks of a file of training rows."""

    verdict: str = ""
    rows: int = 0
    distinct_rows: int = 0
    synthetic_rows: int | None = None
    unreviewed_rows: int | None = None
    checks: list[CheckReply] = []
    job: IdReply | None = None


class AddedReply(Reading):
    """Rows that came into the review queue."""

    added: int
    already_there: int


class TurnReply(Reading):
    """One turn of a row."""

    role: str
    content: str


class RowReply(Reading):
    """A training row, and where it comes from."""

    messages: list[TurnReply]
    meta: JsonObject
    file: str
    line: int


class ReviewItemReply(Reading):
    """A row of the review queue."""

    id: str
    batch: str
    status: str
    row: RowReply
    edited: RowReply | None
    note: str


class BatchReply(Reading):
    """How many rows of a batch are in each state."""

    id: str
    pending: int
    accepted: int
    edited: int
    rejected: int
