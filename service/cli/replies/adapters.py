"""Adapters and drafts."""

from service.api.schemas.shapes import Reply


class AdapterReply(Reply):
    """One adapter in a list."""

    adapter_id: str
    task: str = ""
    state: str


class DraftReply(Reply):
    """A training run that has made no adapter yet."""

    run_id: str
    task: str
    state: str
    status: str


class AdaptersReply(Reply):
    """The adapters and the drafts."""

    data: list[AdapterReply]
    drafts: list[DraftReply] = []


class StateChange(Reply):
    """One state of an adapter's history."""

    state: str
    at: float
    by: str | None = None
    why: str


class AdapterDetail(Reply):
    """One adapter with its history."""

    history: list[StateChange] = []
