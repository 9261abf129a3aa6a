"""The bodies of a training run's events and checkpoints, OpenAI-compatible."""

from collections.abc import Mapping
from typing import Literal, Self

from pydantic import JsonValue

from adapters import Checkpoint
from service.api.schemas.fine_tuning import TrainingArguments, TrainingOutcome, model_name
from service.api.schemas.shapes import JsonObject, Reply
from service.stores.jobs import Job

Level = Literal["info", "warn", "error"]
_LEVELS: Mapping[str, Level] = {
    **dict.fromkeys(("warning", "cancelled"), "warn"),
    **dict.fromkeys(("failed", "evaluation_failed"), "error"),
}
_METRICS = {"steps": "total_steps", "loss": "train_loss", "held_out_loss": "valid_loss"}


class EventReply(Reply):
    """An event of a run; `data` has metrics under our names and OpenAI's."""

    id: str
    object: Literal["fine_tuning.job.event"] = "fine_tuning.job.event"
    created_at: int
    level: Level
    message: str
    type: Literal["message", "metrics"]
    data: JsonObject

    @classmethod
    def of(cls, job_id: str, said: Mapping[str, JsonValue]) -> Self:
        """Return one line of a run's journal."""
        data = {k: v for k, v in said.items() if k not in ("id", "created_at", "message")}
        data.update({theirs: said[ours] for ours, theirs in _METRICS.items() if ours in said})
        is_metrics = "loss" in said or "held_out_loss" in said
        event, at = str(said["event"]), said["created_at"]
        assert isinstance(at, int | float), "the journal writes unix seconds"
        return cls(
            id=f"ftevent-{job_id}-{said['id']}",
            created_at=int(at),
            level=_LEVELS.get(event, "info"),
            message=str(said.get("message") or event),
            type="metrics" if is_metrics else "message",
            data=data,
        )


class CheckpointMetrics(Reply):
    """The last losses reported up to the step of a checkpoint."""

    step: int
    train_loss: float | None
    full_valid_loss: float | None


class CheckpointReply(Reply):
    """A complete checkpoint; only the adapter of a finished run can be served."""

    id: str
    object: Literal["fine_tuning.job.checkpoint"] = "fine_tuning.job.checkpoint"
    created_at: int
    fine_tuning_job_id: str
    fine_tuned_model_checkpoint: str
    servable: bool
    step_number: int
    metrics: CheckpointMetrics

    @classmethod
    def of(cls, job: Job, found: Checkpoint) -> Self:
        """Return a checkpoint of a run."""
        served, arguments = model_name(job), TrainingArguments.of(job)
        unserved = f"{arguments.base_model}:{arguments.config['task']}:ckpt-step-{found.step}"
        return cls(
            id=f"ftckpt-{job.job_id}-{found.step}",
            created_at=int(found.created_at),
            fine_tuning_job_id=job.job_id,
            fine_tuned_model_checkpoint=served or unserved,
            servable=served is not None,
            step_number=found.step,
            metrics=CheckpointMetrics(
                step=found.step, train_loss=found.loss, full_valid_loss=found.held_out_loss
            ),
        )


def last_checkpoint(job: Job) -> Checkpoint | None:
    """Return the end of a run that has succeeded: its adapter is what the checkpoint became."""
    made = TrainingOutcome.of(job).metrics
    if made.steps is None:
        return None
    return Checkpoint(made.steps, job.updated_at, made.last_loss, made.held_out_loss)
