"""Everything that can be known of a run before it is started.

Joins the servability check, the rows, their floors and tokens, and an estimate; loads no model
unless it is asked for the linear probe. Knows no trainer.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from adapters.base_models import ModelFolder
from adapters.config import AdaptersConfig, TrainingConfig
from adapters.errors import AdapterError, EvaluationFailed, NoClosedLabels
from adapters.evaluation import EvaluationEvent, LinearProbe, probe_rows
from adapters.servability import ServabilityFinding, check_config
from adapters.training.estimate import Estimate, estimate_run
from adapters.training.journal import TrainingRun
from adapters.training.row_minimums import RowFloors
from adapters.training.run import check_base, check_rows, count_rows

_Found = TypeVar("_Found")


@dataclass(frozen=True, slots=True)
class TrainingCheck:
    """What is known of a run before it is started.

    Attributes:
        task: First part of the adapter's id.
        stage: Method.
        base_model: Id of the base model.
        servable: What the engine says to the adapter; empty where it could not load it.
        floors: Rows against their floors; none where the rows cannot be read, or are too few.
        counts: Rows, answers and tokens, and what would be cut; none where a problem came before.
        estimate: Memory and time; none where the tokens are not known.
        problems: Why it would be refused, each in one text; empty where it can be trained.
        warnings: What deserves a look all the same.
        probe: What a linear layer on the frozen base model reaches; none unless asked for.
        not_probed: Why it was asked for in vain; none otherwise.
    """

    task: str
    stage: str
    base_model: str
    servable: tuple[ServabilityFinding, ...]
    floors: RowFloors | None
    counts: Mapping[str, int] | None
    estimate: Estimate | None
    problems: tuple[str, ...]
    warnings: tuple[str, ...]
    probe: LinearProbe | None = None
    not_probed: str | None = None

    @property
    def can_train(self) -> bool:
        """Whether nothing stands against it."""
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
            "rows": self.floors.as_dict() if self.floors else None,
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

    ask(lambda: check_base(config, base))
    servable = ask(lambda: check_config(config, max_lora_rank=limits.max_lora_rank))
    floors = ask(lambda: check_rows(config))
    counts = estimate = None
    if floors is not None:
        counts = ask(
            lambda: count_rows(config, base=base, environment=environment, settings=limits)
        )
    if counts:
        estimate = estimate_run(
            config, base, answers=counts["answers"], tokens=counts["tokens"], runs=runs
        )
    probed: LinearProbe | None = None
    not_probed = "the rows cannot be read, or are too few" if probe and floors is None else None
    if probe and floors is not None:
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
        floors=floors,
        counts=counts,
        estimate=estimate,
        problems=tuple(problems),
        warnings=tuple(_warnings(floors, counts)),
        probe=probed,
        not_probed=not_probed,
    )


def _warnings(floors: RowFloors | None, counts: Mapping[str, int] | None) -> list[str]:
    found = []
    if floors is not None and floors.verdict in ("below_pilot", "pilot"):
        found.append(
            f"{floors.rows} rows make a pilot: {floors.floor - floors.rows} more before it should "
            "go live"
        )
    if counts and counts["tokens_cut"]:
        found.append(f"{counts['tokens_cut']} tokens cut from {counts['rows_shortened']} prompts")
    if counts and counts["answers_cut"]:
        found.append(f"{counts['answers_cut']} answers do not fit and are cut at their end")
    if counts and counts["answers_left_out"]:
        found.append(f"{counts['answers_left_out']} rows have no answer within cutoff_len")
    return found
