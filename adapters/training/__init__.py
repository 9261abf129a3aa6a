"""Training runs: the parent side that starts and watches one, and the child that trains.

Importing this loads no torch; only the files the child runs do.
"""

from adapters.training.check import TrainingCheck, check_training
from adapters.training.events import TrainingEvent
from adapters.training.journal import (
    Checkpoint,
    TrainingRun,
    add_event,
    ask_to_cancel,
    list_runs,
    read_checkpoints,
    read_events,
    read_run,
)
from adapters.training.run import TrainingResult, load_run_config, run_training

__all__ = [
    "Checkpoint",
    "TrainingCheck",
    "TrainingEvent",
    "TrainingResult",
    "TrainingRun",
    "add_event",
    "ask_to_cancel",
    "check_training",
    "list_runs",
    "load_run_config",
    "read_checkpoints",
    "read_events",
    "read_run",
    "run_training",
]
