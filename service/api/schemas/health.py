"""Bodies of `/health`, `/ready` and `/`."""

from typing import Literal, Self

from pydantic import Field

from service.api.schemas.shapes import Reply
from service.routing.policies import PolicyFile


class Alive(Reply):
    """The process is alive."""

    status: Literal["alive"] = "alive"


class EngineState(Reply):
    """The model server."""

    up: bool
    base_model: str


class ModelsState(Reply):
    """The embedded models of this home; `engine` and `knowledge` may name others."""

    base_model: str
    embedder: str
    note: str | None = Field(
        default=None, description="What serves in whose place, or the way to newer ones."
    )


class StoreState(Reply):
    """The database."""

    ok: bool
    detail: str | None = Field(default=None, description="What failed; absent if nothing did.")


class QuarantinedIndex(Reply):
    """Damaged indexes that were moved aside."""

    count: int
    newest: str
    hint: str


class IndexState(Reply):
    """The vector index; it is rebuilt from the database while the service answers."""

    ok: bool
    pending: int = Field(description="Documents whose vectors are not in the index yet.")
    detail: str
    set_aside: QuarantinedIndex | None = Field(
        default=None, description="Absent while the database is unavailable."
    )


class RefusedPolicyFile(Reply):
    """A policy file that was refused, and why."""

    digest: str | None
    file: str | None
    line: int | None
    key: str | None
    reason: str


class PolicyState(Reply):
    """The policy: the version in use, and a refused file."""

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


class UseCaseWarnings(Reply):
    """What a use case lacks to answer."""

    id: str
    warnings: list[str]


class Readiness(Reply):
    """Whether the service can answer, and what it is waiting for."""

    ready: bool
    waiting_for: list[str]
    engine: EngineState
    models: ModelsState
    store: StoreState
    index: IndexState
    policy: PolicyState
    observed_policy: PolicyState | None
    degraded: list[Literal["index"]]
    access: Literal["open_on_loopback", "api_keys"] = Field(
        description="Whether API keys are needed; without any, this machine may do everything."
    )
    use_cases: list[UseCaseWarnings] = Field(
        description="Use cases whose knowledge is missing or empty."
    )


class Links(Reply):
    """Links from `/`."""

    docs: str
    openapi: str
    health: str
    ready: str
    chat: str
    models: str


class Welcome(Reply):
    """Name, version and links."""

    name: str
    version: str
    links: Links
