"""Adapters and drafts."""

from service.cli.replies.reading import Reading


class AdapterReply(Reading):
    """One adapter in a list."""

    adapter_id: str
    task: str = ""
    state: str


class DraftReply(Reading):
    """A training run that has made no adapter yet."""

    run_id: str
    task: str
    state: str
    status: str


class AdaptersReply(Reading):
    """The adapters and the drafts."""

    data: list[AdapterReply]
    drafts: list[DraftReply] = []


class StateChange(Reading):
    """One state of an adapter's history."""

    state: str
    at: float
    by: str | None = None
    why: str


class AdapterDetail(Reading):
    """One adapter with its history."""

    history: list[StateChange] = []
