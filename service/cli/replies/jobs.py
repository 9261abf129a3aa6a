"""Error bodies, ids and jobs."""

from service.api.schemas.shapes import JsonObject
from service.cli.replies.reading import Reading

ENDED = ("succeeded", "failed", "cancelled")


class AnyReply(Reading):
    """A body of which no key is read."""


class ErrorFields(Reading):
    """The inner part of an error body, and the error of a job."""

    message: str = ""
    code: str = ""
    hint: str = ""
    status: int = 500


class ErrorBody(Reading):
    """An error body."""

    detail: str = "failed"
    hint: str = ""
    status: int = 500
    error: ErrorFields = ErrorFields()


class IdReply(Reading):
    """Anything that has an id: a file, a use case, a knowledge base, an accepted job."""

    id: str
    name: str = ""


class SavedUseCaseReply(Reading):
    """A use case that was saved, and what it lacks."""

    id: str
    warnings: tuple[str, ...] = ()


class AcceptedReply(Reading):
    """A write that is done, or goes on as a job."""

    job: IdReply | None = None
    note: str | None = None
    adapter_id: str | None = None


class JobProgress(Reading):
    """How far a job is."""

    fraction: float | None = None
    message: str | None = None
    done: int = 0
    total: int | None = None


class JobState(Reading):
    """How a job of any kind stands."""

    id: str
    status: str
    progress: JobProgress | None = None
    error: ErrorFields | None = None

    @property
    def has_ended(self) -> bool:
        """Whether the job will not change any more."""
        return self.status in ENDED


class JobReply(JobState):
    """A job at `/jobs`, with what it did."""

    result: JsonObject | None = None


class TrainingOutcome(Reading):
    """The result of a training job: why the adapter could not be evaluated, if so."""

    evaluation_error: str | None = None


class TrainingJobReply(JobState):
    """A training job, with the adapter that it made."""

    adapter_id: str | None = None
    result: TrainingOutcome | None = None
