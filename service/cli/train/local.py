"""A training run in this process, without a gateway."""

from pathlib import Path

from adapters import TrainingConfig, read_run
from service.api.schemas.shapes import JsonObject
from service.cli.local import TENANT, open_local
from service.cli.output import Output
from service.cli.train.following import show_event
from service.cli.train.words import done_document
from service.fine_tuning.training import train_adapter


def train_here(output: Output, config: TrainingConfig, run_dir: Path) -> JsonObject:
    """Train or resume a run with progress shown; return the document of its result."""
    output.info(f"training run {run_dir.name}")
    with open_local() as local, output.progress("training") as bar:
        trained = train_adapter(
            local.settings,
            local.registry,
            config,
            run_dir=run_dir,
            tenant=TENANT,
            by="command line",
            on_progress=lambda event, fraction: show_event(output, bar, dict(event), fraction),
        )
        made = trained.adapter
        local.note_change("train", "adapters", made.adapter_id, after=made.sha256)
    document = done_document(read_run(run_dir))
    if trained.evaluation_error is not None:
        document["evaluation_error"] = trained.evaluation_error
    return document
