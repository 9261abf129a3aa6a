"""Bodies of `/health`, `/ready` and `/`."""

from typing import Literal, Self

from pydantic import Field

from service.api.schemas.shapes import Reply
from service.routing.policies import PolicyFile


class Alive(Reply):
    """The process lives."""

    status: Literal["alive"] = "alive"


class EngineState(Reply):
    """The model server."""

    up: bool
    base_model: str


class StoreState(Reply):
    """The database."""

    ok: bool
    detail: str | None = Field(default=None, description="What failed; only where it did.")


class QuarantinedIndex(Reply):
    """Damaged indexes that lie beside the one that serves."""

    count: int
    newest: str
    hint: str


class IndexState(Reply):
    """The vector index; it is rebuilt from the database while answers go on."""

    ok: bool
    pending: int = Field(description="Documents whose vectors are still missing.")
    detail: str
    set_aside: QuarantinedIndex | None = Field(
        default=None, description="Not there while the database is away."
    )


class RefusedPolicyFile(Reply):
    """A policy file that was not taken, and why."""

    digest: str | None
    file: str | None
    line: int | None
    key: str | None
    reason: str


class PolicyState(Reply):
    """The policy file: the version in use, and one that was refused."""

    version: str | None
    file: str
    refused: RefusedPolicyFile | None

    @classmethod
    def of(cls, policies: PolicyFile) -> Self:
        """Return the reply for a policy file."""
        refused = policies.refused
        return cls(
            version=None if policies.latest is None else policies.latest.version,
            file=str(policies.file),
            refused=None
            if refused is None
            else RefusedPolicyFile(
                digest=refused.digest,
                file=refused.fault.file,
                line=refused.fault.line,
                key=refused.fault.key,
                reason=refused.fault.reason,
            ),
        )


class Readiness(Reply):
    """Whether questions are answered, and what is waited for."""

    ready: bool
    waiting_for: list[str]
    engine: EngineState
    store: StoreState
    index: IndexState
    policy: PolicyState
    observed_policy: PolicyState | None
    degraded: list[Literal["index"]]


class Links(Reply):
    """Where to go on from `/`."""

    docs: str
    openapi: str
    health: str
    ready: str
    chat: str
    models: str


class Welcome(Reply):
    """What answers at this address."""

    name: str
    version: str
    links: Links
