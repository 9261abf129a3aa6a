"""Errors of the service, and the HTTP status of every room's errors.

ServiceError
├── InvalidSettings, ProcessFailed    the configuration is not valid; a process did not start
├── InvalidRequest          well-formed, but not valid
│   └── ToolsUnsupported    a function cannot be called in this way
├── InvalidEvaluationFile, InvalidOutcomes    a file of questions or of outcomes cannot be used
├── NotFound
│   ├── UseCaseNotFound, ModelNotFound, JobNotFound, FileNotFound, CompareNotFound,
│   │   DataCheckNotFound, DecisionNotFound
├── StrategyForbidden       a hard rule or something missing forbids the strategy
├── ContextLengthExceeded   the question alone exceeds the model's context window
├── BodyTooLarge            the request body is over the limit
├── Unauthenticated         no API key that is valid; its leaves stand in `access_errors.py`
├── Forbidden               the caller is known and may not do this; likewise
│   └── HostForbidden       without API keys the gateway serves loopback only
├── EngineUnavailable, EngineRefused, StreamBroken, AdapterNotLoaded    of the model server
├── IdempotencyKeyReused, IdempotencyInProgress, LimitReached, AlreadyReviewed: `repeat_errors.py`
├── WrongJobStatus, JobFailed, PublishFailed    of jobs (JobFailed carries its error), of adapters
└── BackupImpossible, InvalidBackup, RestoreRefused    of backups
"""

from collections.abc import Mapping
from typing import Any

from pydantic import JsonValue

from adapters import errors as adapter_errors
from knowledge import errors as knowledge_errors
from router import errors as router_errors
from service import repeat_errors
from service.service_error import ServiceError as ServiceError


class InvalidSettings(ServiceError):
    """The configuration is not valid."""

    code = "invalid_settings"
    hint = "Correct the named key."


class InvalidRequest(ServiceError):
    """The request is well-formed, but not valid."""

    code = "invalid_request"
    hint = "Correct the named field."


class ToolsUnsupported(InvalidRequest):
    """A function cannot be called in the way that is asked for."""

    code = "tools_unsupported"
    hint = "Name a function in tool_choice, or leave tools out."


class InvalidEvaluationFile(ServiceError):
    """A file of documents or questions cannot be read, or a row of it is invalid."""

    code = "invalid_evaluation_file"
    hint = "Correct the named line: each line is one JSON object; `--help` lists its keys."


class InvalidOutcomes(ServiceError):
    """The outcomes of a comparison cannot be read, or leave nothing to choose from."""

    code = "invalid_outcomes"
    hint = "`fingerpost compare SET.jsonl --use-case U --out OUTCOMES.jsonl` writes such a file."


class NotFound(ServiceError):
    """What the request names does not exist."""

    code = "not_found"
    hint = "List the existing ones and use one of their ids."


class UseCaseNotFound(NotFound):
    """No use case has this id."""

    code = "use_case_not_found"
    hint = "PUT /use_cases/{id} or `fingerpost use-case apply FILE.yaml` creates one."


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
    hint = "The request id is the `id` of an answer and its x-request-id header."


class StrategyForbidden(ServiceError):
    """A hard rule or something missing forbids the strategy."""

    code = "strategy_forbidden"
    hint = "Change what the named rule forbids, or send strategy 'auto'."


class ContextLengthExceeded(ServiceError):
    """The question alone exceeds the model's context window."""

    code = "context_length_exceeded"
    hint = "Shorten the last message, or lower sampling.max_tokens."


class BodyTooLarge(ServiceError):
    """The request body is over the limit."""

    code = "body_too_large"
    hint = "Split the document, or raise server.max_body_bytes."


class Unauthenticated(ServiceError):
    """No valid API key came with the request."""


class Forbidden(ServiceError):
    """The caller is known and may not do this."""


class HostForbidden(Forbidden):
    """Without API keys the gateway serves loopback only; other web pages may not call."""

    code = "host_forbidden"
    hint = (
        "Call it as localhost, 127.0.0.1, [::1] or a name in server.allowed_hosts, or make API "
        "keys; name other web pages in server.cors_origins."
    )


class EngineUnavailable(ServiceError):
    """The model server does not respond."""

    code = "engine_unavailable"
    retryable = True
    hint = "It restarts automatically; GET /ready shows when it is ready."


class EngineRefused(ServiceError):
    """The model server refused the request."""

    code = "engine_refused"
    hint = "The log of the gateway has the model server's own words."


class StreamBroken(ServiceError):
    """The model server stopped in the middle of an answer."""

    code = "stream_broken"
    retryable = True
    hint = "Send the request again; the answer received so far is incomplete."


class AdapterNotLoaded(ServiceError):
    """A live adapter is not loaded in the engine yet."""

    code = "adapter_not_loaded"
    retryable = True
    hint = "It is being loaded; GET /ready shows when it is ready."


class PublishFailed(ServiceError):
    """The list check or the effect check failed; the previous adapter still serves."""

    code = "publish_failed"
    hint = "Read the effect report in the message, or train the adapter again."


class BackupImpossible(ServiceError):
    """There is no SQLite database to copy, or the copy cannot be written."""

    code = "backup_impossible"
    hint = "Nothing was changed. For PostgreSQL use pg_dump and pg_restore."


class InvalidBackup(ServiceError):
    """The file is not a backup, is damaged, or was made by a newer version."""

    code = "invalid_backup"
    hint = "Nothing was changed. Use another backup, or copy this one again from its source."


class RestoreRefused(ServiceError):
    """Another process uses the database."""

    code = "restore_refused"
    hint = "Nothing was changed. Run `fingerpost down`, restore, then `fingerpost up`."


class ProcessFailed(ServiceError):
    """A supervised process did not start."""

    code = "process_failed"
    hint = "Read the named log file."


class WrongJobStatus(ServiceError):
    """A job in this status cannot be paused or resumed."""

    code = "wrong_job_status"
    hint = "Pause queued or running jobs; resume paused, failed or cancelled ones."


class JobFailed(ServiceError):
    """A job failed; carries the code and the status of the worker's error."""

    code = "job_failed"
    hint = "GET /jobs/{id} shows the error."

    def __init__(self, error: Mapping[str, JsonValue]) -> None:
        fields = dict(error)
        message = str(fields.pop("message", "The job failed."))
        param = fields.get("param")
        super().__init__(message, param=None if param is None else str(param))
        self.code = str(fields.pop("code", self.code))
        self.details = {k: v for k, v in fields.items() if k not in ("status", "param")}
        status = error.get("status")
        self.status = status if isinstance(status, int) else 500


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
    Unauthenticated: 401,
    Forbidden: 403,
    EngineUnavailable: 503,
    EngineRefused: 502,
    StreamBroken: 502,
    AdapterNotLoaded: 503,
    PublishFailed: 409,
    WrongJobStatus: 409,
    repeat_errors.IdempotencyKeyReused: 409,
    repeat_errors.IdempotencyInProgress: 409,
    repeat_errors.LimitReached: 429,
    repeat_errors.AlreadyReviewed: 409,
    BackupImpossible: 409,
    InvalidBackup: 400,
    RestoreRefused: 409,
    ProcessFailed: 500,
    knowledge_errors.KnowledgeError: 500,
    knowledge_errors.CollectionNotFound: 404,
    knowledge_errors.KnowledgeBaseExists: 409,
    knowledge_errors.DocumentNotFound: 404,
    knowledge_errors.VersionNotFound: 404,
    knowledge_errors.TextNotKept: 409,
    knowledge_errors.SyncNotFound: 404,
    knowledge_errors.UnsupportedFile: 415,
    knowledge_errors.UnknownEncoding: 400,
    knowledge_errors.DocumentTooLarge: 413,
    knowledge_errors.EmptyDocument: 400,
    knowledge_errors.NoTextLayer: 422,
    knowledge_errors.PasswordRequired: 422,
    knowledge_errors.WrongPassword: 422,
    knowledge_errors.DamagedFile: 422,
    knowledge_errors.ParseLimitExceeded: 413,
    knowledge_errors.InvalidAttributes: 400,
    knowledge_errors.AccessConflict: 409,
    knowledge_errors.ExternalIdTaken: 409,
    knowledge_errors.LabelsNotHeld: 403,
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
    knowledge_errors.SyncedElsewhere: 409,
    adapter_errors.AdapterError: 500,
    adapter_errors.BaseModelNotFound: 404,
    adapter_errors.BaseModelMismatch: 409,
    adapter_errors.ModelDownloadFailed: 502,
    adapter_errors.InvalidTrainingConfig: 400,
    adapter_errors.InvalidTrainingData: 400,
    adapter_errors.InvalidEffectReference: 409,
    adapter_errors.NotServable: 409,
    adapter_errors.InvalidContextQuestions: 400,
    adapter_errors.InvalidPipeline: 400,
    adapter_errors.PipelineFailed: 409,
    adapter_errors.InvalidRowFilter: 400,
    adapter_errors.TooFewRows: 400,
    adapter_errors.InvalidRules: 400,
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
    """Return the HTTP status of any room's error, by its class, then its base classes."""
    if isinstance(exc, JobFailed):
        return exc.status
    for ancestor in type(exc).__mro__:
        if ancestor in STATUS:
            return STATUS[ancestor]
    return 500


def error_fields(exc: Exception) -> dict[str, Any]:
    """Return what clients see of an error: `message`, `code`, `hint` and its details.

    The text of an error that is not a room's own is left out: it may contain SQL or rows.
    """
    internal = f"Internal error ({type(exc).__name__}); see the log of the process."
    fields: dict[str, Any] = {
        "message": str(exc) if isinstance(exc, ROOTS) else internal,
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
