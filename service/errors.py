"""What can go wrong in the service, and the one table from any room's error to HTTP status.

ServiceError
├── InvalidSettings         configuration refused
├── InvalidRequest          well-formed, but cannot be meant
├── InvalidEvaluationFile   a file of documents or questions cannot be read, or a row is wrong
├── InvalidOutcomes         the outcomes of a comparison cannot be read, or say nothing
├── NotFound
│   ├── UseCaseNotFound, ModelNotFound, JobNotFound, FileNotFound, CompareNotFound,
│   │   DataCheckNotFound, DecisionNotFound
├── StrategyForbidden       a hard rule, or something missing, stands against the strategy
├── ContextLengthExceeded   the question alone is longer than the model reads
├── BodyTooLarge            the request body is over the limit
├── HostForbidden           the gateway serves loopback only
├── EngineUnavailable       the model server does not answer
├── EngineRefused           the model server refused the request
├── StreamBroken            the model server stopped inside an answer
├── AdapterNotLoaded        a live adapter is not back in the engine yet
├── WrongJobStatus          a job that has ended is not paused, one that runs not resumed
├── JobFailed               carries the error of a job out of the worker
├── PublishFailed           list check or effect check failed
├── BackupImpossible        there is no SQLite database to copy, or no place for the copy
├── InvalidBackup           the file is no backup, damaged, or of a newer version
├── RestoreRefused          something still uses the database
└── ProcessFailed           a supervised process did not start
"""

from collections.abc import Mapping
from typing import Any

from adapters import errors as adapter_errors
from knowledge import errors as knowledge_errors
from router import errors as router_errors


class ServiceError(Exception):
    """Root of the service's errors; the message says what to do."""

    code: str = "service_error"
    retryable: bool = False
    hint: str = "See the gateway's log for this request id."

    def __init__(self, message: str, *, param: str | None = None, **details: Any) -> None:
        super().__init__(message)
        self.param = param
        self.details = details


class InvalidSettings(ServiceError):
    """Configuration refused."""

    code = "invalid_settings"
    hint = "Correct the named key."


class InvalidRequest(ServiceError):
    """The request is well-formed, but cannot be meant."""

    code = "invalid_request"
    hint = "Correct the named field."


class InvalidEvaluationFile(ServiceError):
    """A file of documents or questions cannot be read, or a row in it is wrong."""

    code = "invalid_evaluation_file"
    hint = "Correct the named line; each is one JSON object, as the command's `--help` says."


class InvalidOutcomes(ServiceError):
    """The outcomes of a comparison cannot be read, or hold nothing to choose from."""

    code = "invalid_outcomes"
    hint = "`fingerpost compare SET.jsonl --use-case U --out OUTCOMES.jsonl` writes such a file."


class NotFound(ServiceError):
    """The thing named by the request does not exist."""

    code = "not_found"
    hint = "List what exists and use one of those ids."


class UseCaseNotFound(NotFound):
    """No use case has this id."""

    code = "use_case_not_found"
    hint = "PUT /use_cases/{id} or `fingerpost use-case apply FILE.yaml` makes one."


class ModelNotFound(NotFound):
    """No model has this name."""

    code = "model_not_found"
    hint = "GET /v1/models lists the names."


class JobNotFound(NotFound):
    """No job has this id."""

    code = "job_not_found"


class FileNotFound(NotFound):
    """No uploaded file has this id."""

    code = "file_not_found"
    hint = "POST /v1/files uploads one."


class CompareNotFound(NotFound):
    """No compare run has this id."""

    code = "compare_not_found"


class DataCheckNotFound(NotFound):
    """The use case has no data check of this id."""

    code = "data_check_not_found"
    hint = "GET /use_cases/{id}/data_checks lists them."


class DecisionNotFound(NotFound):
    """No record has this request id."""

    code = "decision_not_found"
    hint = "The id stands in every answer (`id`) and in its x-request-id header."


class StrategyForbidden(ServiceError):
    """A hard rule, or something missing, stands against the strategy."""

    code = "strategy_forbidden"
    hint = "Remove what the named rule objects to, or send strategy 'auto'."


class ContextLengthExceeded(ServiceError):
    """The question alone is longer than the model reads."""

    code = "context_length_exceeded"
    hint = "Shorten the last message, or lower sampling.max_tokens."


class BodyTooLarge(ServiceError):
    """The request body is over the limit."""

    code = "body_too_large"
    hint = "Split the document, or raise server.max_body_bytes."


class HostForbidden(ServiceError):
    """The gateway serves loopback only until API keys exist."""

    code = "host_forbidden"
    hint = "Call it as localhost, 127.0.0.1 or [::1] from the same machine."


class EngineUnavailable(ServiceError):
    """The model server does not answer."""

    code = "engine_unavailable"
    retryable = True
    hint = "It restarts by itself; GET /ready tells when it is back."


class EngineRefused(ServiceError):
    """The model server refused the request."""

    code = "engine_refused"
    hint = "The message holds the model server's own words."


class StreamBroken(ServiceError):
    """The model server stopped inside an answer."""

    code = "stream_broken"
    retryable = True
    hint = "Ask again; what was received is not a whole answer."


class AdapterNotLoaded(ServiceError):
    """A live adapter is not back in the engine yet."""

    code = "adapter_not_loaded"
    retryable = True
    hint = "It is being loaded; GET /ready tells when it serves again."


class PublishFailed(ServiceError):
    """The list check or the effect check failed; the adapter before it still serves."""

    code = "publish_failed"
    hint = "Train again, or look at the effect report in the message."


class BackupImpossible(ServiceError):
    """There is no SQLite database to copy, or no place for the copy."""

    code = "backup_impossible"
    hint = "Nothing was changed. PostgreSQL has pg_dump and pg_restore for the same."


class InvalidBackup(ServiceError):
    """The file is no backup, is damaged, or was made by a newer version."""

    code = "invalid_backup"
    hint = "Nothing was changed. Take another backup, or copy this one again from where it lay."


class RestoreRefused(ServiceError):
    """Something still uses the database."""

    code = "restore_refused"
    hint = "Nothing was changed. `fingerpost down` first, then restore, then `fingerpost up`."


class ProcessFailed(ServiceError):
    """A supervised process did not start."""

    code = "process_failed"
    hint = "Read the named log file."


class WrongJobStatus(ServiceError):
    """A job that has ended is not paused, one that runs or has succeeded not resumed."""

    code = "wrong_job_status"
    hint = "GET the job: its status says what can be asked of it."


class JobFailed(ServiceError):
    """A job failed; carries the code and status of the error inside the worker."""

    code = "job_failed"
    hint = "GET /jobs/{id} tells what failed."

    def __init__(self, error: Mapping[str, Any]) -> None:
        fields = dict(error)
        message = str(fields.pop("message", "The job failed."))
        super().__init__(message, param=fields.get("param"))
        self.code = str(fields.pop("code", self.code))
        self.details = {k: v for k, v in fields.items() if k not in ("status", "param")}
        self.status = int(error.get("status", 500))


STATUS: Mapping[type[Exception], int] = {
    ServiceError: 500,
    InvalidSettings: 500,
    InvalidRequest: 400,
    InvalidEvaluationFile: 400,
    InvalidOutcomes: 400,
    NotFound: 404,
    StrategyForbidden: 409,
    ContextLengthExceeded: 400,
    BodyTooLarge: 413,
    HostForbidden: 403,
    EngineUnavailable: 503,
    EngineRefused: 502,
    StreamBroken: 502,
    AdapterNotLoaded: 503,
    PublishFailed: 409,
    WrongJobStatus: 409,
    BackupImpossible: 409,
    InvalidBackup: 400,
    RestoreRefused: 409,
    ProcessFailed: 500,
    knowledge_errors.KnowledgeError: 500,
    knowledge_errors.CollectionNotFound: 404,
    knowledge_errors.KnowledgeBaseExists: 409,
    knowledge_errors.DocumentNotFound: 404,
    knowledge_errors.UnsupportedFile: 415,
    knowledge_errors.DocumentTooLarge: 413,
    knowledge_errors.EmptyDocument: 400,
    knowledge_errors.NoTextLayer: 422,
    knowledge_errors.PasswordRequired: 422,
    knowledge_errors.WrongPassword: 422,
    knowledge_errors.DamagedFile: 422,
    knowledge_errors.ParseLimitExceeded: 413,
    knowledge_errors.InvalidAttributes: 400,
    knowledge_errors.InvalidName: 400,
    knowledge_errors.InvalidFilter: 400,
    knowledge_errors.InvalidQuery: 400,
    knowledge_errors.EmbedderMismatch: 409,
    knowledge_errors.EmbeddingDimensionMismatch: 409,
    knowledge_errors.EmbedderUnavailable: 500,
    knowledge_errors.RerankerUnavailable: 500,
    knowledge_errors.StoreUnavailable: 503,
    knowledge_errors.StoreRefused: 503,
    knowledge_errors.StorageFull: 507,
    knowledge_errors.VectorsMissing: 503,
    knowledge_errors.IndexReplaced: 409,
    knowledge_errors.TooFewQuestions: 400,
    knowledge_errors.IngestConflict: 409,
    adapter_errors.AdapterError: 500,
    adapter_errors.BaseModelNotFound: 404,
    adapter_errors.BaseModelMismatch: 409,
    adapter_errors.ModelDownloadFailed: 502,
    adapter_errors.InvalidTrainingConfig: 400,
    adapter_errors.InvalidTrainingData: 400,
    adapter_errors.InvalidEffectReference: 409,
    adapter_errors.NotServable: 409,
    adapter_errors.InvalidContextQuestions: 400,
    adapter_errors.TooFewRows: 400,
    adapter_errors.TrainingFailed: 500,
    adapter_errors.TrainingRunNotFound: 404,
    adapter_errors.TrainingRunBusy: 409,
    adapter_errors.TrainingCancelled: 409,
    adapter_errors.InvalidEvaluationRows: 400,
    adapter_errors.NoClosedLabels: 400,
    adapter_errors.InvalidGatePolicy: 500,
    adapter_errors.EvaluationFailed: 500,
    adapter_errors.EvaluationCancelled: 409,
    adapter_errors.GateNotPassed: 409,
    adapter_errors.AdapterNotFound: 404,
    adapter_errors.ImportFailed: 500,
    adapter_errors.MergeFailed: 500,
    adapter_errors.DigestMismatch: 409,
    adapter_errors.UnsafeAdapterFolder: 400,
    adapter_errors.AdapterRetired: 409,
    adapter_errors.AdapterIsLive: 409,
    adapter_errors.NothingToRollBack: 409,
    router_errors.RouterError: 500,
    router_errors.InvalidClassifier: 500,
    router_errors.InvalidPolicy: 500,
    router_errors.InvalidCases: 400,
    router_errors.ThresholdRefused: 422,
    router_errors.InvalidFile: 422,
    router_errors.TooFewLabelledQuestions: 400,
    router_errors.UnknownFact: 422,
    router_errors.FactTypeMismatch: 422,
    router_errors.FactProvenanceMismatch: 422,
}


ROOTS = (
    ServiceError,
    knowledge_errors.KnowledgeError,
    adapter_errors.AdapterError,
    router_errors.RouterError,
)


def status_of(exc: Exception) -> int:
    """Return the HTTP status of any room's error, found by its class and then its ancestors."""
    if isinstance(exc, JobFailed):
        return exc.status
    for ancestor in type(exc).__mro__:
        if ancestor in STATUS:
            return STATUS[ancestor]
    return 500


def error_fields(exc: Exception) -> dict[str, Any]:
    """Return what is told about an error: `message`, `code`, `hint` and what it names.

    An error that is not a room's own says nothing of its inside: its text may hold SQL or rows.
    """
    inside = f"Something failed inside ({type(exc).__name__}); the log of the process says more."
    fields: dict[str, Any] = {
        "message": str(exc) if isinstance(exc, ROOTS) else inside,
        "code": getattr(exc, "code", "internal_error"),
        "hint": getattr(exc, "hint", ""),
        "retryable": getattr(exc, "retryable", False),
    }
    if isinstance(exc, ServiceError):
        fields["param"] = exc.param
        fields.update(exc.details)
    if isinstance(exc, adapter_errors.InvalidTrainingConfig):
        fields["param"] = exc.key
    if isinstance(exc, router_errors.InvalidPolicy):
        fields.update(file=exc.file, line=exc.line, key=exc.key, reason=exc.reason)
    for name in ("reasons", "problems", "log_tail"):
        if getattr(exc, name, ()):
            fields[name] = list(getattr(exc, name))
    return fields
