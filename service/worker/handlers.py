"""The handler of each kind of job.

It knows a job's arguments and which room does its work; it does not know leases or lanes.
"""

import re
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Generic, cast

from adapters import (
    AdapterRegistry,
    EvaluationCancelled,
    InvalidTrainingData,
    TrainingCancelled,
    parse_any_rows,
    parse_training_config,
)
from knowledge import (
    Attributes,
    DocumentNotFound,
    IngestReport,
    Knowledge,
    NewDocument,
    ReconcileReport,
)
from service.api.schemas.adapters import AdapterReply
from service.compare import parse_set, run_comparison, summarise
from service.context import AppContext
from service.fine_tuning.data_checks import check_data
from service.fine_tuning.training import train_adapter
from service.home import gateway_url
from service.network.tls import verification
from service.settings import Settings
from service.stores.access.signing import Signer
from service.stores.access.worker_requests import worker_key
from service.stores.comparisons import Comparisons
from service.stores.data_checks import DataChecks
from service.stores.files import Files
from service.stores.job_kinds import (
    COMPARE,
    DATA_CHECK,
    DELETE_DOCUMENT,
    INGEST,
    REBUILD,
    REINDEX,
    ROLLBACK,
    TRAIN,
    A,
    CompareArgs,
    CompareResult,
    DataCheckArgs,
    DataCheckResult,
    DeleteArgs,
    DeleteResult,
    IndexArgs,
    IndexResult,
    IngestArgs,
    IngestResult,
    JobKind,
    JobResult,
    R,
    RollbackArgs,
    TrainArgs,
    TrainResult,
)
from service.stores.jobs import Job, Jobs
from service.stores.json_value import JsonMapping
from service.stores.locked_files import unpack
from service.stores.review.items import ReviewItems

Report = Callable[[JsonMapping | None], bool]
Work = Callable[[Job, Report], JobResult]


class Cancelled(Exception):
    """The job was cancelled or paused, or its lease is another worker's."""


@dataclass(frozen=True, slots=True)
class Task(Generic[A]):
    """A claimed job with its parsed arguments.

    Attributes:
        job: The job.
        args: Its arguments.
        report: Stores the progress, if any, and returns whether the work should go on.
    """

    job: Job
    args: A
    report: Report


def handlers(context: AppContext) -> dict[str, Work]:
    """Return the handler of every kind of job, by the kind's name."""
    knowledge, jobs, settings = context.knowledge, context.jobs, context.settings
    cert = None if settings.tls_files is None else settings.tls_files[0]
    scheme = "http" if cert is None else "https"
    gateway = gateway_url(settings.server.host, context.ports.gateway, scheme=scheme)
    return dict(
        (
            _parsed(INGEST, partial(ingest, knowledge=knowledge, jobs=jobs)),
            _parsed(DELETE_DOCUMENT, partial(delete_document, knowledge=knowledge)),
            _parsed(ROLLBACK, partial(roll_back, knowledge=knowledge)),
            _parsed(REBUILD, partial(rebuild_index, build=knowledge.rebuild)),
            _parsed(REINDEX, partial(rebuild_index, build=knowledge.reindex)),
            _parsed(
                TRAIN,
                partial(train, settings=settings, registry=context.registry, files=context.files),
            ),
            _parsed(
                COMPARE,
                partial(
                    compare,
                    gateway_url=gateway,
                    cert=cert,
                    comparisons=context.comparisons,
                    signer=context.worker_requests,
                ),
            ),
            _parsed(
                DATA_CHECK,
                partial(
                    check_rows,
                    knowledge=knowledge,
                    jobs=jobs,
                    data_checks=context.data_checks,
                    review_items=context.review_items,
                ),
            ),
        )
    )


def _parsed(kind: JobKind[A, R], handle: Callable[[Task[A]], R]) -> tuple[str, Work]:
    """Return the kind's name, and `handle` as a function of a job with unparsed arguments."""

    def work(job: Job, report: Report) -> JobResult:
        return handle(Task(job, kind.args.read(job.args), report))

    return kind.name, work


def ingest(task: Task[IngestArgs], *, knowledge: Knowledge, jobs: Jobs) -> IngestResult:
    """Add or replace one document."""
    job, args = task.job, task.args
    payload = jobs.payload(job.job_id, tenant=job.tenant)
    unlocked = unpack(payload) if args.was_locked else None
    document = NewDocument(
        args.external_id,
        args.filename,
        payload if unlocked is None else unlocked.content,
        attributes=cast(Attributes | None, args.attributes),  # checked by the knowledge room
        access=None if args.access is None else frozenset(args.access),
        parsed=None if unlocked is None else unlocked.parsed,
        synced_from=args.synced_from,
        encoding=args.encoding,
        held=None if args.held is None else frozenset(args.held),
    )
    (done,) = knowledge.ingest_many(args.base_id, [document], tenant=job.tenant)
    return _ingested(done, args.base_id, args.filename)


def roll_back(task: Task[RollbackArgs], *, knowledge: Knowledge) -> IngestResult:
    """Write the text of an earlier version of a document as a new one."""
    args, tenant = task.args, task.job.tenant
    done = knowledge.versions.roll_back(
        args.base_id, args.external_id, args.version, tenant=tenant, access=args.held
    )
    now = knowledge.get_document(args.base_id, args.external_id, tenant=tenant)
    return _ingested(done, args.base_id, now.filename)


def _ingested(done: IngestReport, base_id: str, filename: str) -> IngestResult:
    told = asdict(done)
    labels = told.pop("access")
    return IngestResult(knowledge_base=base_id, filename=filename, access_labels=labels, **told)


def delete_document(task: Task[DeleteArgs], *, knowledge: Knowledge) -> DeleteResult:
    """Delete one document; on a later attempt it may be deleted already."""
    job, args = task.job, task.args
    try:
        knowledge.delete_document(
            args.base_id,
            args.external_id,
            synced_from=args.synced_from,
            tenant=job.tenant,
            access=args.held,
        )
    except DocumentNotFound:
        if job.attempts == 1:
            raise
    return DeleteResult(knowledge_base=args.base_id, external_id=args.external_id, deleted=True)


def rebuild_index(task: Task[IndexArgs], *, build: Callable[..., ReconcileReport]) -> IndexResult:
    """Build a new generation of a base's index; the old one serves until it is complete."""

    def on_progress(done: int, total: int) -> None:
        fraction = done / total if total else 1.0
        if not task.report({"done": done, "total": total, "fraction": fraction}):
            raise Cancelled

    base_id = task.args.base_id
    done = build(base_id, tenant=task.job.tenant, progress=on_progress)
    return IndexResult(knowledge_base=base_id, **asdict(done))


def train(
    task: Task[TrainArgs], *, settings: Settings, registry: AdapterRegistry, files: Files
) -> TrainResult:
    """Train an adapter in a child process and register it, and evaluate it where asked.

    The run's journal and checkpoints are in the home under the job's id: a job that is taken up
    again, after a crash or a stop, goes on from its last checkpoint.
    """
    job, args, report = task.job, task.args, task.report
    with tempfile.TemporaryDirectory(dir=settings.paths.run, prefix="train-") as scratch:
        unpack_rows = partial(_unpack, files, job, Path(scratch))
        files_of_rows = [unpack_rows(file_id) for file_id in (args.file_id, *args.more_file_ids)]
        keys = {**args.config, "dataset": files_of_rows}
        if args.replay_file_ids:
            keys["replay_dataset"] = [unpack_rows(file_id) for file_id in args.replay_file_ids]
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
        except InvalidTrainingData as exc:
            own_names = partial(re.sub, rf"{re.escape(scratch)}/[^/]+/", "")
            problems = tuple(own_names(problem) for problem in exc.problems)
            raise InvalidTrainingData(own_names(str(exc)), problems) from exc
    result = AdapterReply.of(trained.adapter).model_dump(mode="json")
    if trained.evaluation_error is not None:
        result["evaluation_error"] = trained.evaluation_error
    return TrainResult.read(result)


def _unpack(files: Files, job: Job, scratch: Path, file_id: str) -> str:
    """Write an uploaded file under its own name and return its path."""
    name = Path(files.get(file_id, tenant=job.tenant).filename).name
    place = scratch / file_id / name
    place.parent.mkdir(exist_ok=True)
    place.write_bytes(files.content(file_id, tenant=job.tenant))
    return str(place)


def compare(
    task: Task[CompareArgs],
    *,
    gateway_url: str,
    cert: Path | None,
    comparisons: Comparisons,
    signer: Signer,
) -> CompareResult:
    """Ask every question by every strategy, in the tenant's name, and save the outcomes."""
    args = task.args

    def on_progress(done: int, total: int) -> bool:
        return task.report({"done": done, "total": total, "fraction": done / total})

    questions = parse_set(args.rows)
    outcomes = run_comparison(
        questions,
        gateway_url=gateway_url,
        verify=verification(cert),
        use_case=args.use_case,
        strategies=args.strategies,
        concurrency=args.concurrency,
        on_progress=on_progress,
        is_wanted=partial(task.report, None),
        api_key=partial(worker_key, signer, task.job.tenant, task.job.key_id),
    )
    if len(outcomes) < len(questions) * len(args.strategies):
        raise Cancelled
    comparison_id = comparisons.save(
        args.use_case,
        asdict(summarise(outcomes)),
        [outcome.to_json() for outcome in outcomes],
        tenant=task.job.tenant,
    )
    return CompareResult(comparison_id=comparison_id)


def check_rows(
    task: Task[DataCheckArgs],
    *,
    knowledge: Knowledge,
    jobs: Jobs,
    data_checks: DataChecks,
    review_items: ReviewItems,
) -> DataCheckResult:
    """Check training rows and save the result for the use case."""
    job, args = task.job, task.args
    rows = parse_any_rows(jobs.payload(job.job_id, tenant=job.tenant), args.filename)
    found = check_data(
        rows,
        description=args.domain,
        scenarios=args.scenarios,
        embedder=knowledge.embedder,
        min_similarity=args.min_similarity,
        by_hand=review_items.by_hand(rows, tenant=job.tenant),
        manual_sample_share=args.manual_sample_share,
    )
    check_id = data_checks.save(args.use_case, found.as_dict(), tenant=job.tenant)
    return DataCheckResult(data_check=check_id, verdict=found.verdict)
