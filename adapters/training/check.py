"""Everything that can be checked before a run is started.

Joins the servability check, the number of rows, their tokens, and an estimate; loads no model
unless it is asked for the linear probe. Knows no trainer.
"""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from adapters.base_models import ModelFolder
from adapters.children import ChildFailed, Task, run_child
from adapters.config import AdaptersConfig, TrainingConfig
from adapters.data import count_distinct, hold_out, load_rows
from adapters.errors import (
    AdapterError,
    BaseModelMismatch,
    BaseModelNotFound,
    EvaluationFailed,
    InvalidTrainingConfig,
    InvalidTrainingData,
    NoClosedLabels,
    TooFewRows,
    TrainingFailed,
)
from adapters.evaluation import EvaluationEvent, LinearProbe, probe_rows
from adapters.methods import Rows
from adapters.servability import ServabilityFinding, check_config, check_targets
from adapters.training.estimate import Estimate, estimate_run
from adapters.training.journal import TrainingRun
from adapters.training.row_minimums import RowMinimums, count_against_minimums

WORK_PREFIX = ".training-check-"
# Refused by the child before it loads the base model; the same errors as if refused here.
_REFUSED_BY_CHILD: Mapping[str | None, type[AdapterError]] = {
    error.code: error for error in (InvalidTrainingData, InvalidTrainingConfig, BaseModelNotFound)
}
_Found = TypeVar("_Found")


@dataclass(frozen=True, slots=True)
class TrainingCheck:
    """What is known of a run before it is started.

    Attributes:
        task: First part of the adapter's id.
        stage: Method.
        base_model: Id of the base model.
        servable: What the engine needs, rule by rule; empty where it could not load the adapter.
        minimums: Rows and how many are needed; none where they cannot be read, or are too few.
        counts: Rows, answers and tokens, and what would be cut; none where a problem came before.
        estimate: Memory and time; none where the tokens are not known.
        problems: Why it would be refused, each in one text; empty where it can be trained.
        warnings: What should be looked at all the same.
        probe: What a linear layer on the frozen base model reaches; none unless asked for.
        not_probed: Why the probe could not run although it was asked for; none otherwise.
    """

    task: str
    stage: str
    base_model: str
    servable: tuple[ServabilityFinding, ...]
    minimums: RowMinimums | None
    counts: Mapping[str, int] | None
    estimate: Estimate | None
    problems: tuple[str, ...]
    warnings: tuple[str, ...]
    probe: LinearProbe | None = None
    not_probed: str | None = None

    @property
    def can_train(self) -> bool:
        """Whether there is no problem."""
        return not self.problems

    def as_dict(self) -> dict[str, Any]:
        """Return the check as plain content."""
        return {
            "can_train": self.can_train,
            "task": self.task,
            "stage": self.stage,
            "base_model": self.base_model,
            "servable": bool(self.servable),
            "servability": [asdict(finding) for finding in self.servable],
            "rows": self.minimums.as_dict() if self.minimums else None,
            "tokens": dict(self.counts) if self.counts else None,
            "estimate": self.estimate.as_dict() if self.estimate else None,
            "problems": list(self.problems),
            "warnings": list(self.warnings),
            "probe": self.probe.as_dict() if self.probe else None,
            "not_probed": self.not_probed,
        }


def check_training(
    config: TrainingConfig,
    *,
    base: ModelFolder,
    environment: Mapping[str, str],
    settings: AdaptersConfig | None = None,
    runs: Sequence[TrainingRun] = (),
    probe: bool = False,
    on_progress: Callable[[EvaluationEvent], None] | None = None,
) -> TrainingCheck:
    """Check a configuration as `run_training` would, and go on after a problem.

    Args:
        config: What is to be trained.
        base: The base model, which is the one served.
        environment: Of the process that counts tokens.
        settings: Rank limit and priority.
        runs: Runs of before, newest first; the time is reckoned with the rate of the last.
        probe: Ask a linear layer on the frozen base model as well, which loads it.
        on_progress: Told how far the linear layer is.
    """
    limits = settings or AdaptersConfig()
    problems: list[str] = []

    def ask(question: Callable[[], _Found]) -> _Found | None:
        try:
            return question()
        except AdapterError as exc:
            problems.append(str(exc))
            return None

    ask(lambda: check_base_model(config, base))
    servable = ask(lambda: check_config(config, max_lora_rank=limits.max_lora_rank))
    ask(lambda: check_layers(config, base))
    minimums = ask(lambda: check_row_count(config))
    counts = estimate = None
    if minimums is not None:
        counts = ask(
            lambda: count_rows(config, base=base, environment=environment, settings=limits)
        )
    if counts:
        estimate = estimate_run(
            config, base, answers=counts["answers"], tokens=counts["tokens"], runs=runs
        )
    probed: LinearProbe | None = None
    not_probed = "the rows cannot be read, or are too few" if probe and minimums is None else None
    if probe and minimums is not None:
        try:
            probed = probe_rows(
                config,
                base=base,
                environment=environment,
                settings=limits,
                on_progress=on_progress,
            )
        except (NoClosedLabels, EvaluationFailed) as exc:
            not_probed = str(exc)
    return TrainingCheck(
        task=config.task,
        stage=config.stage,
        base_model=base.id,
        servable=tuple(servable or ()),
        minimums=minimums,
        counts=counts,
        estimate=estimate,
        problems=tuple(problems),
        warnings=tuple(_warnings(minimums, counts)),
        probe=probed,
        not_probed=not_probed,
    )


def check_base_model(config: TrainingConfig, base: ModelFolder) -> None:
    """Refuse (BaseModelMismatch) a configuration for another base model than the one here."""
    wanted = config.model_name_or_path
    if wanted != base.id and Path(wanted).resolve() != base.folder.resolve():
        raise BaseModelMismatch(
            f"the configuration asks for {wanted}, but the base model here is {base.id}; "
            f"set model_name_or_path: {base.id}"
        )


def check_layers(config: TrainingConfig, base: ModelFolder) -> None:
    """Refuse (NotServable) names of layers that the base model does not have."""
    if config.lora_target != "all":
        check_targets(config.lora_target, base.folder)


def check_row_count(config: TrainingConfig) -> RowMinimums:
    """Read the rows and compare their number with what is needed; a copy of a row counts once.

    Raises:
        InvalidTrainingData: Rows cannot be read, there is one only, or they cannot be split.
        TooFewRows: Below the pilot line, and not forced.
    """
    rows = config.load_rows()
    different = count_distinct(rows)
    copied = len(rows) - different
    copies = f" ({copied} copies not counted)" * (copied > 0)
    if different < 2:
        raise InvalidTrainingData(f"at least two rows are needed{copies}; add rows")
    _check_split(config, rows)
    if config.replay_ratio and config.replay_dataset:
        load_rows(config.replay_dataset)
    found = count_against_minimums(config, different)
    if found.verdict == "below_pilot" and not config.force:
        raise TooFewRows(
            f"{different} rows{copies} are fewer than the {found.pilot} needed for a pilot "
            f"({found.min_rows} needed to go live)"
        )
    return found


def _check_split(config: TrainingConfig, rows: Rows) -> None:
    """Refuse a split that leaves one row to train on, or none to evaluate on."""
    if not config.val_size:
        return
    trained, held_out = hold_out(rows, config.val_size, seed=config.seed)
    different = count_distinct(trained)
    why = "rows with the same question, source or answer stay on one side"
    if different < 2:
        raise InvalidTrainingData(
            f"{different} row to train on, {len(held_out)} of {len(rows)} held out: at least two "
            f"rows are needed ({why}); add rows or lower val_size"
        )
    if config.do_eval and not held_out:
        raise InvalidTrainingData(
            f"do_eval: val_size {config.val_size:g} of {len(rows)} rows holds out none ({why}); "
            "raise val_size or add rows"
        )


def explain_failure(exc: ChildFailed) -> AdapterError:
    """Return the error of a training process: what it refused itself keeps its own kind."""
    if exc.code in _REFUSED_BY_CHILD:
        return _REFUSED_BY_CHILD[exc.code](exc.reason)
    return TrainingFailed(f"training failed: {exc}", exc.tail)


def count_rows(
    config: TrainingConfig,
    *,
    base: ModelFolder,
    environment: Mapping[str, str],
    settings: AdaptersConfig,
) -> dict[str, int]:
    """Return rows, answers and tokens as a run would see them, counted in a child process.

    Raises:
        InvalidTrainingData: Nothing is left to learn, or one row only.
        TrainingFailed: The child could not; its reason is in the message.
    """
    job = {"config": config.as_job(), "base": base.as_dict()}
    with tempfile.TemporaryDirectory(prefix=WORK_PREFIX) as work:
        try:
            counts: dict[str, int] = run_child(
                Task.in_folder(
                    Path(work), "adapters.training.process.preparation:count_material", job
                ),
                environment=environment,
                limits=settings,
                on_event=lambda _event: None,
                check=lambda: None,
            )
        except ChildFailed as exc:
            raise explain_failure(exc) from exc
    return counts


def _warnings(minimums: RowMinimums | None, counts: Mapping[str, int] | None) -> list[str]:
    found = []
    if minimums is not None and minimums.verdict in ("below_pilot", "pilot"):
        is_pilot = "enough" if minimums.verdict == "pilot" else "too few even"
        found.append(
            f"{minimums.rows} rows are {is_pilot} for a pilot: add "
            f"{minimums.min_rows - minimums.rows} more before it goes live"
        )
    if counts and counts["copies"]:
        found.append(f"{counts['copies']} rows are copies of others and count once")
    if counts and counts["tokens_cut"]:
        found.append(f"{counts['tokens_cut']} tokens cut from {counts['rows_shortened']} prompts")
    if counts and counts["answers_cut"]:
        found.append(f"{counts['answers_cut']} answers are too long and are cut at the end")
    if counts and counts["answers_left_out"]:
        found.append(f"{counts['answers_left_out']} rows have no answer within cutoff_len")
    return found
