"""The kinds of jobs: the lane, the arguments and the result of each.

It knows what is stored of a job as JSON; it does not know rows, leases or how a job is done.
Arguments and results of earlier releases stay readable: unknown keys are ignored, and a key that
came later has a default.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, Self, TypeVar

from pydantic import BaseModel, ConfigDict

from service.stores.json_value import JsonMapping, JsonObject


class Lane(StrEnum):
    """Queues that do not wait for each other."""

    INGEST = "ingest"
    INDEX = "index"
    TRAIN = "train"
    COMPARE = "compare"


class Stored(BaseModel):
    """Part of a job that is stored as JSON."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    @classmethod
    def read(cls, stored: JsonMapping) -> Self:
        """Return the model of what is stored."""
        return cls.model_validate(stored)

    def to_json(self) -> JsonObject:
        """Return what is stored: the fields that were set."""
        return self.model_dump(mode="json", exclude_unset=True)


class JobArgs(Stored):
    """Arguments of a job."""


class JobResult(Stored):
    """Result of a job that succeeded."""


class IngestArgs(JobArgs):
    """A document to add or replace; its bytes are the job's payload.

    Attributes:
        attributes: None: none were given, as with `access`.
        access: Labels of which a reader must hold one; None: those that it or its text had.
        sha256: Of the uploaded bytes: another content under one idempotency key is another request.
        file_id: The uploaded file it comes from, if any.
        synced_from: The folder whose sync sends it; empty: none does.
        encoding: Of its text, where it was named.
        was_locked: Whether the payload is a password-protected file with its text.
        held: Labels that whoever sends it holds; None: any.
    """

    base_id: str
    external_id: str
    filename: str
    attributes: JsonMapping | None = None
    access: tuple[str, ...] | None = None
    sha256: str | None = None
    file_id: str | None = None
    encoding: str | None = None
    was_locked: bool = False
    synced_from: str = ""
    held: tuple[str, ...] | None = None


class NotReadPart(JobResult):
    """A part of a file that was not read; see `knowledge.NotRead`."""

    what: str
    where: str
    why: str


class IngestResult(JobResult):
    """What became of a document; see `knowledge.IngestReport`."""

    knowledge_base: str
    filename: str
    document_id: str
    external_id: str
    version: int
    chunks: int
    unchanged: bool
    indexed: bool
    encoding: str = ""
    left_out: tuple[NotReadPart, ...] = ()
    access_labels: tuple[str, ...] = ()


class DeleteArgs(JobArgs):
    """A document to delete; of a folder's sync: only if that wrote it; `held` as `IngestArgs`."""

    base_id: str
    external_id: str
    synced_from: str | None = None
    held: tuple[str, ...] | None = None


class RollbackArgs(JobArgs):
    """A document to take back to an earlier version; `held` as `IngestArgs`."""

    base_id: str
    external_id: str
    version: int
    held: tuple[str, ...] | None = None


class DeleteResult(JobResult):
    """A document that was deleted."""

    knowledge_base: str
    external_id: str
    deleted: bool


class IndexArgs(JobArgs):
    """A knowledge base whose index is built anew."""

    base_id: str


class IndexResult(JobResult):
    """An index that was built; see `knowledge.ReconcileReport`."""

    knowledge_base: str
    orphans_removed: int
    missing_added: int
    stale_collected: int
    collections_rebuilt: int
    collections_dropped: int
    available: bool


class TrainArgs(JobArgs):
    """An adapter to train.

    Attributes:
        file_id: The uploaded file of training rows.
        more_file_ids: Uploaded files whose rows follow.
        config: Keys of `adapters.TrainingConfig`; its `dataset` is set when the job runs.
        metadata: Labels that the caller chose.
        replay_file_ids: Uploaded files of rows that are mixed in.
    """

    file_id: str
    config: JsonMapping
    metadata: Mapping[str, str] | None = None
    replay_file_ids: tuple[str, ...] = ()
    more_file_ids: tuple[str, ...] = ()


class TrainResult(JobResult):
    """The adapter that was trained, as clients see it; only these keys are read here."""

    model_config = ConfigDict(frozen=True, extra="allow")

    adapter_id: str
    metrics: JsonMapping


class CompareArgs(JobArgs):
    """A comparison: the rows of a question set, asked by each strategy."""

    use_case: str
    rows: tuple[JsonMapping, ...]
    strategies: tuple[str, ...]
    concurrency: int


class CompareResult(JobResult):
    """Where the outcomes of a comparison are."""

    comparison_id: str


class DataCheckArgs(JobArgs):
    """Training rows to check; the file is the job's payload."""

    use_case: str
    filename: str
    domain: str
    scenarios: tuple[str, ...]
    min_similarity: float | None
    manual_sample_share: float = 0.0  # none in jobs of earlier releases


class DataCheckResult(JobResult):
    """Where the result of a data check is, and its verdict."""

    data_check: str
    verdict: str


A = TypeVar("A", bound=JobArgs)
R = TypeVar("R", bound=JobResult)


@dataclass(frozen=True, slots=True)
class JobKind(Generic[A, R]):
    """One kind of job: its name in the table, its lane, and what is stored of it."""

    name: str
    lane: Lane
    args: type[A]
    result: type[R]


INGEST = JobKind("ingest", Lane.INGEST, IngestArgs, IngestResult)
DELETE_DOCUMENT = JobKind("delete_document", Lane.INGEST, DeleteArgs, DeleteResult)
ROLLBACK = JobKind("rollback", Lane.INGEST, RollbackArgs, IngestResult)
REBUILD = JobKind("rebuild", Lane.INDEX, IndexArgs, IndexResult)
REINDEX = JobKind("reindex", Lane.INDEX, IndexArgs, IndexResult)
TRAIN = JobKind("train", Lane.TRAIN, TrainArgs, TrainResult)
COMPARE = JobKind("compare", Lane.COMPARE, CompareArgs, CompareResult)
DATA_CHECK = JobKind("data_check", Lane.COMPARE, DataCheckArgs, DataCheckResult)

AnyJobKind = JobKind[Any, Any]
