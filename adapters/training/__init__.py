"""Training runs: the parent side that starts and watches one, and the child that trains.

Importing this loads no torch; only the files the child runs do.
"""

from adapters.training.events import TrainingEvent
from adapters.training.run import TrainingResult, run_training

__all__ = ["TrainingEvent", "TrainingResult", "run_training"]
