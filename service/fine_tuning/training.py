"""Trains an adapter of a home, evaluates it where its configuration says so, and lists drafts.

It knows where a home keeps runs and adapters; it knows neither jobs nor commands, nor how one
trains: worker and command line use it alike.
"""

import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from adapters import (
    Adapter,
    AdapterError,
    AdapterRegistry,
    EvaluationCancelled,
    EvaluationEvent,
    ModelFolder,
    TrainingConfig,
    TrainingEvent,
    TrainingRun,
    add_event,
    describe_base_model,
    held_out_rows,
    list_runs,
    read_run,
    run_training,
)
from service.fine_tuning.evaluation import evaluate_and_record
from service.settings import Settings, child_environment
from service.stores.json_value import JsonMapping

log = logging.getLogger(__name__)

OnProgress = Callable[[JsonMapping, float | None], object]
"""Told each event as the run's journal has it, and the fraction that is done if it is known."""


@dataclass(frozen=True, slots=True)
class Trained:
    """A registered adapter; `evaluation_error` says why it could not be evaluated, if so."""

    adapter: Adapter
    evaluation_error: str | None = None


def new_run_id() -> str:
    """Return a name for a run that no other has."""
    return f"run_{uuid.uuid4().hex[:12]}"


def find_base(settings: Settings) -> ModelFolder:
    """Return the base model that this home serves."""
    return describe_base_model(settings.base_model_path)


def train_adapter(
    settings: Settings,
    registry: AdapterRegistry,
    config: TrainingConfig,
    *,
    run_dir: Path,
    tenant: str,
    by: str,
    on_progress: OnProgress,
    cancelled: Callable[[], bool] | None = None,
) -> Trained:
    """Train, or resume a run that stopped; register the adapter and evaluate it if `do_eval` is on.

    Args:
        settings: Where base model, runs and adapters are.
        registry: Where the adapter is registered.
        config: What to train.
        run_dir: Folder of the run's journal and checkpoints; with a checkpoint it is resumed.
        tenant: Whose adapter it becomes.
        by: Who evaluates it, for its history.
        on_progress: Told each event of training and evaluation.
        cancelled: Asked several times a second; true stops the run.

    Returns:
        The adapter as it is registered now. It stays registered if it could not be evaluated.

    Raises:
        TrainingCancelled: `cancelled` said so while training.
        EvaluationCancelled: `cancelled` said so while evaluating; the adapter is registered.
        AdapterError: Whatever else `run_training` and `register` refuse.
    """
    settings.paths.make()
    base = find_base(settings)

    def on_training(event: TrainingEvent) -> None:
        on_progress(event.as_dict(), _fraction(event))

    made = run_training(
        config,
        base=base,
        into=settings.paths.adapters,
        environment=child_environment(),
        run_dir=run_dir,
        on_progress=on_training,
        cancelled=cancelled,
        settings=settings.adapters,
    )
    adapter = registry.register(
        made.folder,
        tenant=tenant,
        base=base,
        by=run_dir.name,
        drafted_at=read_run(run_dir).created_at,
    )
    if not config.do_eval:
        return Trained(adapter)

    def on_evaluation(event: EvaluationEvent) -> None:
        on_progress({"event": "evaluating", "message": event.message}, event.done / event.total)

    try:
        evaluate_and_record(
            settings,
            registry,
            adapter.folder,
            held_out_rows(config),
            tenant=tenant,
            by=by,
            on_progress=on_evaluation,
            cancelled=cancelled,
        )
    except EvaluationCancelled:
        raise
    except AdapterError as exc:
        log.error("adapter %s is trained but could not be evaluated: %s", adapter.adapter_id, exc)
        failed = TrainingEvent("evaluation_failed", f"the evaluation failed: {exc}", code=exc.code)
        add_event(run_dir, failed)
        on_progress(failed.as_dict(), 1.0)
        return Trained(adapter, str(exc))
    return Trained(registry.get(adapter.adapter_id, tenant=tenant))


def _fraction(event: TrainingEvent) -> float | None:
    return event.step / event.steps if event.step is not None and event.steps else None


def list_drafts(runs_dir: Path) -> list[TrainingRun]:
    """Return the runs that may still become an adapter, newest first.

    These are the ones that work now, and those that stopped and left a checkpoint to go on from.
    """
    return [
        run
        for run in list_runs(runs_dir)
        if run.adapter_id is None and (run.status == "running" or run.checkpoint_step is not None)
    ]
