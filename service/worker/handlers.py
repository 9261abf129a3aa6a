"""What each kind of job does, by which room.

It knows the arguments of a job and the room's call; it does not know leases or lanes.
"""

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from adapters import (
    AdapterRegistry,
    EvaluationCancelled,
    TrainingCancelled,
    parse_any_rows,
    parse_training_config,
)
from knowledge import DocumentNotFound, Knowledge, ReconcileReport
from service.compare import parse_set, run_comparison, summarise
from service.context import AppContext
from service.engine.publisher import adapter_dict
from service.fine_tuning.data_checks import check_data
from service.fine_tuning.training import train_adapter
from service.home import gateway_url
from service.settings import Settings
from service.stores.comparisons import Comparisons
from service.stores.data_checks import DataChecks
from service.stores.files import Files
from service.stores.jobs import Job, Jobs
from service.stores.locked_files import unpack

Report = Callable[[Mapping[str, Any] | None], bool]
Work = Callable[[Job, Report], Mapping[str, Any]]


class Cancelled(Exception):
    """The job is no longer wanted, or no longer this worker's."""


def handlers(context: AppContext) -> dict[str, Work]:
    """Return the work of every kind of job."""
    knowledge = context.knowledge
    return {
        "ingest": partial(ingest, knowledge, context.jobs),
        "delete_document": partial(delete_document, knowledge),
        "rebuild": partial(renew_index, knowledge.rebuild),
        "reindex": partial(renew_index, knowledge.reindex),
        "train": partial(train, context.settings, context.registry, context.files),
        "compare": partial(
            compare,
            gateway_url(context.settings.server.host, context.ports.gateway),
            context.comparisons,
        ),
        "data_check": partial(check_rows, knowledge, context.jobs, context.data_checks),
    }


def ingest(knowledge: Knowledge, jobs: Jobs, job: Job, report: Report) -> dict[str, Any]:
    """Add or replace one document."""
    args, payload = job.args, jobs.payload(job.job_id)
    opened = unpack(payload) if args.get("was_locked") else None
    done = knowledge.ingest(
        args["base_id"],
        args["external_id"],
        args["filename"],
        payload if opened is None else opened.content,
        attributes=args["attributes"],
        access=args.get("access"),  # jobs of an earlier release name none
        parsed=None if opened is None else opened.parsed,
        tenant=job.tenant,
    )
    return {"knowledge_base": args["base_id"], "filename": args["filename"], **asdict(done)}


def delete_document(knowledge: Knowledge, job: Job, report: Report) -> dict[str, Any]:
    """Delete one document; taken up again after a crash, it is already gone."""
    base_id, external_id = job.args["base_id"], job.args["external_id"]
    try:
        knowledge.delete_document(base_id, external_id, tenant=job.tenant)
    except DocumentNotFound:
        if job.attempts == 1:
            raise
    return {"knowledge_base": base_id, "external_id": external_id, "deleted": True}


def renew_index(renew: Callable[..., ReconcileReport], job: Job, report: Report) -> dict[str, Any]:
    """Make a new generation of a base's index; stopped midway, the old one goes on serving."""

    def on_progress(done: int, total: int) -> None:
        if not report({"done": done, "total": total, "fraction": done / total if total else 1.0}):
            raise Cancelled

    base_id = job.args["base_id"]
    done = renew(base_id, tenant=job.tenant, progress=on_progress)
    return {"knowledge_base": base_id, **asdict(done)}


def train(
    settings: Settings, registry: AdapterRegistry, files: Files, job: Job, report: Report
) -> dict[str, Any]:
    """Train an adapter in a child process, register it, and evaluate it where asked.

    The run's journal and checkpoints are in the home under the job's id: a job that is taken up
    again, after a crash or a stop, goes on from its last checkpoint.
    """
    with tempfile.TemporaryDirectory(dir=settings.paths.run, prefix="train-") as scratch:
        unpack_rows = partial(_unpack, files, job, Path(scratch))
        keys = {**job.args["config"], "dataset": unpack_rows(job.args["file_id"])}
        if replayed := job.args.get("replay_file_ids"):
            keys["replay_dataset"] = [unpack_rows(file_id) for file_id in replayed]
        try:
            trained = train_adapter(
                settings,
                registry,
                parse_training_config(keys, name="config"),
                run_dir=settings.paths.trainings / job.job_id,
                tenant=job.tenant,
                by="worker",
                on_progress=lambda event, fraction: report({**event, "fraction": fraction}),
                cancelled=lambda: not report(None),
            )
        except (TrainingCancelled, EvaluationCancelled) as exc:
            raise Cancelled from exc
    result = adapter_dict(trained.adapter)
    if trained.evaluation_error is not None:
        result["evaluation_error"] = trained.evaluation_error
    return result


def _unpack(files: Files, job: Job, scratch: Path, file_id: str) -> str:
    """Write an uploaded file under its own name and return its path."""
    name = Path(files.get(file_id, tenant=job.tenant).filename).name
    place = scratch / file_id / name
    place.parent.mkdir(exist_ok=True)
    place.write_bytes(files.content(file_id, tenant=job.tenant))
    return str(place)


def compare(gateway_url: str, comparisons: Comparisons, job: Job, report: Report) -> dict[str, Any]:
    """Ask every question by every strategy and keep what came out."""
    args = job.args

    def on_progress(done: int, total: int) -> bool:
        return report({"done": done, "total": total, "fraction": done / total})

    questions = parse_set(args["rows"])
    outcomes = run_comparison(
        questions,
        gateway_url=gateway_url,
        use_case=args["use_case"],
        strategies=args["strategies"],
        concurrency=args["concurrency"],
        on_progress=on_progress,
    )
    if len(outcomes) < len(questions) * len(args["strategies"]):
        raise Cancelled
    comparison_id = comparisons.keep(
        args["use_case"], summarise(outcomes), outcomes, tenant=job.tenant
    )
    return {"comparison_id": comparison_id}


def check_rows(
    knowledge: Knowledge, jobs: Jobs, data_checks: DataChecks, job: Job, report: Report
) -> dict[str, Any]:
    """Check training rows and keep what was found for the use case."""
    args = job.args
    found = check_data(
        parse_any_rows(jobs.payload(job.job_id), args["filename"]),
        description=args["domain"],
        scenarios=args["scenarios"],
        embedder=knowledge.embedder,
        min_similarity=args["min_similarity"],
    )
    check_id = data_checks.keep(args["use_case"], found.as_dict(), tenant=job.tenant)
    return {"data_check": check_id, "verdict": found.verdict}
