"""Trains an adapter of this home in the calling process, and which runs are drafts of one.

It knows where a home keeps runs, adapters and the database, and needs neither gateway nor worker;
it does not know how one trains.
"""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from adapters import (
    Adapter,
    AdapterRegistry,
    ModelFolder,
    TrainingConfig,
    TrainingEvent,
    TrainingRun,
    describe_base_model,
    list_runs,
    read_run,
    run_training,
)
from service.access import LOOPBACK_CALLER
from service.settings import Settings, child_environment
from service.stores.database import open_database
from service.stores.migrations import upgrade


def new_run_id() -> str:
    """Return a name for a run that no other has."""
    return f"run_{uuid.uuid4().hex[:12]}"


def find_base(settings: Settings) -> ModelFolder:
    """Return the base model that this home serves."""
    return describe_base_model(settings.base_model_path)


def train_here(
    settings: Settings,
    config: TrainingConfig,
    *,
    run_dir: Path,
    on_progress: Callable[[TrainingEvent], None],
) -> Adapter:
    """Train, or go on with a run that stopped, and register the adapter.

    Raises:
        AdapterError: Whatever `run_training` and `register` refuse.
    """
    settings.paths.make()
    base = find_base(settings)
    made = run_training(
        config,
        base=base,
        into=settings.paths.adapters,
        environment=child_environment(),
        run_dir=run_dir,
        on_progress=on_progress,
        settings=settings.adapters,
    )
    with open_registry(settings) as registry:
        return registry.register(
            made.folder,
            tenant=LOOPBACK_CALLER.tenant,
            base=base,
            by=run_dir.name,
            drafted_at=read_run(run_dir).created_at,
        )


@contextmanager
def open_registry(settings: Settings) -> Iterator[AdapterRegistry]:
    """Yield this home's registry, its database brought to the newest schema."""
    database = open_database(settings.database_url)
    try:
        upgrade(database)
        rank = settings.adapters.max_lora_rank
        yield AdapterRegistry(database, settings.paths.adapters, max_lora_rank=rank)
    finally:
        database.dispose()


def list_drafts(runs_dir: Path) -> list[TrainingRun]:
    """Return the runs that may still become an adapter, newest first.

    These are the ones that work now, and those that stopped and left a checkpoint to go on from.
    """
    return [
        run
        for run in list_runs(runs_dir)
        if run.adapter_id is None and (run.status == "running" or run.checkpoint_step is not None)
    ]
