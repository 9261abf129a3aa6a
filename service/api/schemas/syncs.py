"""Bodies of `/v1/vector_stores/{id}/syncs`: the last sync of each folder."""

from typing import Literal, Self

from pydantic import Field

from knowledge import FolderSync
from service.api.schemas.documents import MAX_SOURCE_CHARS
from service.api.schemas.shapes import Body, JsonObject, Reply

SyncState = Literal["unfinished", "finished", "partial", "failed", "stopped"]
"""`unfinished`: its end was not reported, it still runs or was killed; `partial`: some documents
failed; `failed`: an error ended it; `stopped`: whoever ran it did."""


class NewSync(Body):
    """Body of `POST /v1/vector_stores/{id}/syncs`."""

    source: str = Field(
        min_length=1,
        max_length=MAX_SOURCE_CHARS,
        description="Names the folder; documents that it writes name it in `synced_from`.",
    )
    contents: dict[str, str] = Field(
        default_factory=dict,
        description=(
            "`content_hash` by `external_id` of documents that the folder holds as they are: if "
            "another folder wrote them, or nobody knows, they are this one's from now on."
        ),
    )


class SyncReport(Body):
    """Body of `POST /v1/vector_stores/{id}/syncs/{sync_id}`."""

    state: SyncState = Field(description="Other than `unfinished`: it has ended.")
    report: JsonObject = Field(description="What it did so far.")


class SyncReply(Reply):
    """The last sync of one folder."""

    id: str
    object: Literal["vector_store.sync"] = "vector_store.sync"
    source: str
    state: SyncState = Field(
        description="`unfinished`: its end was not reported, it still runs or was killed."
    )
    began_at: float = Field(description="Unix seconds.")
    heard_at: float = Field(description="Unix seconds of its last report.")
    ended_at: float | None = Field(description="Unix seconds.")
    report: JsonObject
    adopted: list[str] = Field(
        default_factory=list, description="Documents that became this folder's when it began."
    )

    @classmethod
    def of(cls, found: FolderSync, adopted: list[str] | None = None) -> Self:
        """Return the reply for a sync."""
        return cls.from_value(found, id=found.sync_id, adopted=adopted or [])
