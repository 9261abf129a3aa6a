"""`fingerpost data run`: a pipeline file, from documents and chats to a file of training rows.

It knows the options and what of this home the steps are given; the steps are in `adapters`.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt
import typer
from rich.console import Console

from adapters import (
    Domain,
    Generate,
    Outside,
    PipelineJob,
    PipelineResult,
    RowRequirements,
    StepEntry,
    UnreadableDocument,
    asks_model,
    forget_stages,
    load_pipeline,
    measure_perplexities,
    run_pipeline,
)
from knowledge import Embedder, KnowledgeError, parse
from service.cli.data.check import check_here, print_readiness
from service.cli.data.steps import engine_answers, engine_of_this_home
from service.cli.kb.evaluation.corpus import load_embedder
from service.cli.output import FAILED, CommandFailed, JsonOption, command_output
from service.cli.replies import ReadinessReply
from service.fine_tuning.data_checks import find_domain
from service.fine_tuning.training import find_base
from service.home_secret import derive, home_secret
from service.settings import Settings, child_environment, load_settings


def run(
    pipeline: Annotated[
        Path,
        typer.Argument(
            metavar="PIPELINE.yaml", help="The steps; deploy/pipelines/ has a file for each task."
        ),
    ],
    *,
    read: Annotated[
        list[Path] | None,
        typer.Option(
            "--read",
            metavar="PATH",
            help="File or folder to read, instead of those in the file; may be repeated.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="File to write the rows to, instead of that in the file."),
    ] = None,
    domain: Annotated[
        str | None,
        typer.Option(
            "--domain",
            help="What the rows should be about, in one sentence, instead of that in the file.",
        ),
    ] = None,
    restart: Annotated[
        bool, typer.Option("--restart", help="Do every step again; reuse nothing.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Make training rows from documents, chats and files of rows, step by step.

    Finished steps are kept in OUT.stages: a run that was stopped goes on there, and a changed
    step is done again with those after it. OUT.lineage.jsonl has the source of each row and the
    steps that changed it, OUT.dropped.jsonl every row that was left out, with its reason. Exits
    with 1 if a check of the rows fails.
    """
    with command_output(as_json) as output, ExitStack() as opened:
        file = load_pipeline(pipeline)
        target = out or file.out
        if target is None:
            raise CommandFailed("Name the file of rows: `out` in the file, or --out.", code="usage")
        if restart:
            forget_stages(target)
        home = _Home(load_settings(), opened)
        named = read or file.read
        wanted = _wanted(file.checks, domain, _folders(named, target))
        job = PipelineJob(
            named,
            file.steps,
            target,
            read_document=_read_document,
            check=lambda rows: check_here(output, rows, wanted),
        )
        with output.progress("running the pipeline") as bar:
            done = run_pipeline(
                job,
                home.outside(file.steps),
                lambda step, part, note: bar.show(part, f"{step}: {note}"),
            )
        body = {**done.as_dict(), "out": str(job.out)}
        body |= {"lineage": str(job.lineage), "dropped_rows": str(job.dropped)}
        output.result(body, lambda console: _print(console, done, job))
        if not done.written or (
            done.check and "fail" in (done.check.verdict, done.check.readiness.verdict)
        ):
            raise typer.Exit(FAILED)


def _wanted(checks: RowRequirements, domain: str | None, folders: Sequence[str]) -> RowRequirements:
    """Return what the rows should be like, with what the command and the folders say."""
    said: dict[str, object] = {} if domain is None else {"domain": domain}
    if checks.scenarios == "folders":
        said["scenarios"] = tuple(folders)
    return checks.model_copy(update=said)


def _folders(read: Sequence[Path], out: Path) -> list[str]:
    """Return the names of the folders that the folders to read are divided into."""
    inside = (path for one in read if one.is_dir() for path in sorted(one.iterdir()))
    return [
        path.name
        for path in inside
        if path.is_dir() and not path.name.startswith((".", f"{out.name}."))
    ]


@dataclass
class _Home:
    """What steps are given of this home; the embedder is loaded where a step embeds."""

    settings: Settings
    opened: ExitStack

    def outside(self, steps: Sequence[StepEntry]) -> Outside:
        return Outside(
            today=datetime.now().astimezone().date(),
            embed=self._embed,
            embedder_id=str(self.settings.embedder_path),
            secret=self._key_of_surrogates,
            generate=self._generate if asks_model(steps) and engine_answers() else None,
            find_domain=self._find_domain,
            perplexities=self._perplexities,
            model_id=f"{self.settings.engine.base_model} {self.settings.base_model_path}",
        )

    def _key_of_surrogates(self) -> bytes:
        return bytes.fromhex(derive(home_secret(self.settings.paths), "personal-data", ""))

    def _find_domain(self, description: str, min_similarity: float | None) -> Domain | str:
        return find_domain((), description, self._embedder, min_similarity)

    def _perplexities(
        self, texts: Sequence[str], examples: Sequence[str]
    ) -> Sequence[float | None]:
        return measure_perplexities(
            texts,
            examples,
            base=find_base(self.settings),
            environment=child_environment(),
            settings=self.settings.adapters,
            on_progress=lambda _event: None,
        )

    def _generate(self, temperature: float) -> Generate:
        return self.opened.enter_context(engine_of_this_home(temperature))

    def _embed(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        return self._embedder.embed_passages(texts)

    @cached_property
    def _embedder(self) -> Embedder:
        return load_embedder(self.settings)


def _read_document(file: Path) -> str:
    try:
        return parse(file.name, file.read_bytes()).text
    except (KnowledgeError, OSError) as exc:
        raise UnreadableDocument(str(exc)) from exc


def _print(out: Console, done: PipelineResult, job: PipelineJob) -> None:
    for stage in done.stages:
        reasons = {**stage.changed, **{f"dropped: {why}": n for why, n in stage.dropped.items()}}
        told = ", ".join(f"{count:,} {why}" for why, count in reasons.items())
        out.print(
            f"{stage.step:18} {stage.rows_in:>9,} → {stage.rows_out:>9,}  {told}".rstrip(),
            markup=False,
        )
    out.print(
        f"{done.written:,} rows in {job.out}; {done.dropped:,} dropped and {done.refused:,} "
        f"refused, with reasons, in {job.dropped.name}; sources in {job.lineage.name}",
        markup=False,
    )
    if done.cached:
        out.print(f"{done.cached} of {len(done.stages) - 1} steps were done before", markup=False)
    if done.check is None:
        return
    out.print(f"{done.check.verdict}: the five checks", markup=False)
    for check in (*done.check.checks, *done.check.faults):
        missing = f": {check.missing}" if check.missing else ""
        out.print(f"  {check.status:8} {check.name}{missing}", markup=False)
    print_readiness(out, ReadinessReply.model_validate(done.check.readiness.as_dict()))
