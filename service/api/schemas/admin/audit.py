"""The bodies of `/audit`."""

from typing import Literal, Self

from pydantic import Field

from service.api.schemas.shapes import Reply
from service.stores.requests.chain import AuditRow


class ChangeReply(Reply):
    """A change in the audit log.

    Its names and digests are null once the tenant was removed, and where it is of something that
    the key may not know.
    """

    id: int = Field(description="Position in the log, from 1.")
    object: Literal["change"] = "change"
    created_at: float = Field(description="Unix seconds.")
    tenant: str | None
    key_id: str | None = Field(description="The API key of the request; null without one.")
    via: str = Field(description="`http` for a request, `command` for a command on the machine.")
    action: str = Field(description="Method and path of the route, or the words of the command.")
    kind: str = Field(description="What was changed, such as `use_cases`.")
    object_id: str | None = Field(description="Which one; empty where the action names none.")
    before: str | None = Field(description="SHA-256 of what was there, where it is known.")
    after: str | None = Field(description="SHA-256 of what is there now; null after a deletion.")
    redacted_by: int | None = Field(description="The change that removed the names of this one.")
    hash: str = Field(description="SHA-256 of this row with that of the row before.")

    @classmethod
    def of(cls, row: AuditRow) -> Self:
        """Return a row as clients see it."""
        return cls.from_value(row, id=row.seq)
