"""The handler of each kind of job.

It knows a job's arguments and which room does its work; it does not know leases or lanes.
"""

import logging
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from adapters import (
    Adapter,
    AdapterError,
    AdapterRegistry,
    EvaluationCancelled,
    EvaluationEvent,
    TrainingCancelled,
    TrainingConfig,
    TrainingEvent,
    describe_base_model,
    held_out_rows,
    parse_any_rows,
    parse_training_config,
    read_run,
    run_training,
)
from knowledge import DocumentNotFound, Knowledge, ReconcileReport
from service.compare import parse_set, run_comparison, summarise
from service.context import AppContext
from service.engine.publisher import adapter_dict
from service.fine_tuning.data_checks import check_data
from service.fine_tuning.evaluation import evaluate_and_record
from service.home import gateway_url
from service.settings import Settings, child_environment
from service.stores.comparisons import Comparisons
from service.stores.data_checks import DataChecks
from service.stores.files import Files
from service.stores.jobs import Job, Jobs
from service.stores.locked_files import unpack

log = logging.getLogger(__name__)

Report = Callable[[Mapping[str, Any] | None], bool]
Work = Callable[[Job, Report], Mapping[str, Any]]


class Cancelled(Exception):
    """The job was cancelled or paused, or its lease is another worker's."""


def handlers(context: AppContext) -> dict[str, Work]:
    """Return the handler of every kind of job."""
    knowledge = context.knowledge
    return {
        "ingest": partial(ingest, knowledge, context.jobs),
        "delete_document": partial(delete_document, knowledge),
        "rebuild": partial(rebuild_index, knowledge.rebuild),
        "reindex": partial(rebuild_index, knowledge.reindex),
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
    unlocked = unpack(payload) if args.get("was_locked") else None
    done = knowledge.ingest(
        args["base_id"],
        args["external_id"],
        args["filename"],
        payload if unlocked is None else unlocked.content,
        attributes=args["attributes"],
        access=args.get("access"),  # jobs of an earlier release name none
        parsed=None if unlocked is None else unlocked.parsed,
        tenant=job.tenant,
    )
    return {"knowledge_base": args["base_id"], "filename": args["filename"], **asdict(done)}


def delete_document(knowledge: Knowledge, job: Job, report: Report) -> dict[str, Any]:
    """Delete one document; on a later attempt it may be deleted already."""
    base_id, external_id = job.args["base_id"], job.args["external_id"]
    try:
        knowledge.delete_document(base_id, external_id, tenant=job.tenant)
    except DocumentNotFound:
        if job.attempts == 1:
            raise
    return {"knowledge_base": base_id, "external_id": external_id, "deleted": True}


def rebuild_index(
    build: Callable[..., ReconcileReport], job: Job, report: Report
) -> dict[str, Any]:
    """Build a new generation of a base's index; the old one serves until it is complete."""

    def on_progress(done: int, total: int) -> None:
        if not report({"done": done, "total": total, "fraction": done / total if total else 1.0}):
            raise Cancelled

    base_id = job.args["base_id"]
    done = build(base_id, tenant=job.tenant, progress=on_progress)
    return {"knowledge_base": base_id, **asdict(done)}


def train(
    settings: Settings, registry: AdapterRegistry, files: Files, job: Job, report: Report
) -> dict[str, Any]:
    """Train an adapter in a child process and register its folder, and judge it where asked.

    The run's journal and checkpoints are in the home under the job's id: a job that is taken up
    again, after a crash or a stop, goes on from its last checkpoint.
    """
    base = describe_base_model(settings.base_model_path)

    def tell(event: dict[str, Any], fraction: float | None) -> None:
        report({**event, "fraction": fraction})

    def on_progress(event: TrainingEvent) -> None:
        fraction = event.step / event.steps if event.step is not None and event.steps else None
        tell(event.as_dict(), fraction)

    with tempfile.TemporaryDirectory(dir=settings.paths.run, prefix="train-") as scratch:
        unpack_rows = partial(_unpack, files, job, Path(scratch))
        keys = {**job.args["config"], "dataset": unpack_rows(job.args["file_id"])}
        if replayed := job.args.get("replay_file_ids"):
            keys["replay_dataset"] = [unpack_rows(file_id) for file_id in replayed]
        config = parse_training_config(keys, name="config")
        run_dir = settings.paths.trainings / job.job_id
        try:
            made = run_training(
                config,
                base=base,
                into=settings.paths.adapters,
                run_dir=run_dir,
                environment=child_environment(),
                on_progress=on_progress,
                cancelled=lambda: not report(None),
                settings=settings.adapters,
            )
        except TrainingCancelled as exc:
            raise Cancelled from exc
        adapter = registry.register(
            made.folder,
            tenant=job.tenant,
            base=base,
            by=job.job_id,
            drafted_at=read_run(run_dir).created_at,
        )
        if not config.do_eval:
            return adapter_dict(adapter)
        return judge_trained(
            settings,
            registry,
            adapter,
            config,
            tell=tell,
            cancelled=lambda: not report(None),
        )


def _unpack(files: Files, job: Job, scratch: Path, file_id: str) -> str:
    """Write an uploaded file under its own name and return its path."""
    name = Path(files.get(file_id, tenant=job.tenant).filename).name
    place = scratch / file_id / name
    place.parent.mkdir(exist_ok=True)
    place.write_bytes(files.content(file_id, tenant=job.tenant))
    return str(place)


def judge_trained(
    settings: Settings,
    registry: AdapterRegistry,
    adapter: Adapter,
    config: TrainingConfig,
    *,
    tell: Callable[[dict[str, Any], float | None], None],
    cancelled: Callable[[], bool],
) -> dict[str, Any]:
    """Judge a new adapter on the rows its run held back; it stays registered if that fails."""

    def on_progress(event: EvaluationEvent) -> None:
        tell({"event": "evaluating", "message": event.message}, event.done / event.total)

    try:
        evaluate_and_record(
            settings,
            registry,
            adapter.folder,
            held_out_rows(config),
            tenant=adapter.tenant,
            by="worker",
            on_progress=on_progress,
            cancelled=cancelled,
        )
    except EvaluationCancelled as exc:
        raise Cancelled from exc
    except AdapterError as exc:
        log.error("adapter %s is trained but could not be judged: %s", adapter.adapter_id, exc)
        return {**adapter_dict(adapter), "evaluation_error": str(exc)}
    return adapter_dict(registry.get(adapter.adapter_id, tenant=adapter.tenant))


def compare(gateway_url: str, comparisons: Comparisons, job: Job, report: Report) -> dict[str, Any]:
    """Ask every question by every strategy and save the outcomes."""
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
    comparison_id = comparisons.save(
        args["use_case"], summarise(outcomes), outcomes, tenant=job.tenant
    )
    return {"comparison_id": comparison_id}


def check_rows(
    knowledge: Knowledge, jobs: Jobs, data_checks: DataChecks, job: Job, report: Report
) -> dict[str, Any]:
    """Check training rows and save the result for the use case."""
    args = job.args
    result = check_data(
        parse_any_rows(jobs.payload(job.job_id), args["filename"]),
        description=args["domain"],
        scenarios=args["scenarios"],
        embedder=knowledge.embedder,
        min_similarity=args["min_similarity"],
    )
    check_id = data_checks.save(args["use_case"], result.as_dict(), tenant=job.tenant)
    return {"data_check": check_id, "verdict": result.verdict}
