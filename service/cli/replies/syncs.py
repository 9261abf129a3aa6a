"""Syncs of folders with a knowledge base: runs, and what `kb sync` reports of itself."""

from service.api.schemas.shapes import JsonObject
from service.cli.replies.documents import NotReadReply
from service.cli.replies.jobs import ErrorBody, ErrorFields
from service.cli.replies.reading import Reading


class FailedReply(Reading):
    """A document that could not be written, or a part of a folder, and why."""

    document: str
    error: ErrorFields = ErrorFields()


class SkippedReply(Reading):
    """A file that was left out, and what it is."""

    document: str
    why: str


class KeptReply(Reading):
    """Documents that the folder does not hold and that stay, since its sync did not write them."""

    uploaded: int = 0
    of_other_folders: dict[str, int] = {}
    of_unknown_origin: list[str] = []


class OutcomeReply(Reading):
    """What a sync did so far, as `kb sync --json` prints it and as the gateway stores it."""

    dry_run: bool = False
    added: list[str] = []
    replaced: list[str] = []
    reread: list[str] = []
    relabelled: list[str] = []
    deleted: list[str] = []
    unchanged: int = 0
    failed: list[FailedReply] = []
    skipped: list[SkippedReply] = []
    kept: KeptReply = KeptReply()
    adopted: dict[str, int] = {}
    access_labels: dict[str, list[str]] = {}
    left_out: dict[str, list[NotReadReply]] = {}
    error: ErrorBody | None = None


class SyncReply(Reading):
    """The last run of a folder's sync; `report` is an `OutcomeReply` where `kb sync` wrote it."""

    id: str
    source: str
    state: str
    began_at: float
    heard_at: float
    ended_at: float | None
    report: JsonObject = {}
    adopted: list[str] = []
