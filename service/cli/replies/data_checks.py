"""Checks of training data."""

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
