"""What a training process does: settles the libraries and hands over to the method's recipe.

Of several processes that train together (torch's launcher started them, or `accelerate launch`)
the first alone speaks and writes. Knows no method by name.
"""

from collections.abc import Mapping
from typing import Any

from adapters.children import Emit
from adapters.children.imports import import_quickly, leave_out
from adapters.config import TrainingConfig
from adapters.training.events import TrainingEvent


def train(job: Mapping[str, Any], emit: Emit) -> None:
    """Train the adapter that a job describes and write its folder; see `sft.train`."""
    config = TrainingConfig.model_validate(job["config"])
    speaks = config.num_processes == 1 or _is_first()

    def tell(event: TrainingEvent) -> None:
        if speaks:
            emit(event.as_dict())

    tell(TrainingEvent("loading", f"loading {job['base']['id']}"))  # importing takes seconds
    _import_libraries(job["threads"])
    import_quickly(config.method.recipe).train(job, tell)


def _is_first() -> bool:
    """Join the other processes and say whether this is the one that speaks."""
    import torch
    from accelerate import PartialState

    return bool(PartialState(cpu=not torch.cuda.is_available()).is_main_process)


def _import_libraries(threads: int | None) -> None:
    torch = import_quickly("torch")
    if not torch.accelerator.is_available():
        leave_out(["triton"])  # it compiles for GPUs
    if threads:
        torch.set_num_threads(threads)
    datasets = import_quickly("datasets")
    datasets.disable_progress_bars()
    datasets.disable_caching()
