"""Is the signal already there? A linear layer on the frozen base model, before anything is trained.

The parent's side, which loads no torch: rows with a closed set of answers are chosen, a child reads
them and guesses each one's label, the guesses are scored against the most frequent label. Knows
rows and scores; knows no model.
"""

import random
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from adapters.base_models import ModelFolder
from adapters.children import Task
from adapters.config import AdaptersConfig, TrainingConfig
from adapters.data import Row
from adapters.data.agreement import are_labels
from adapters.data.copies import group_rows, question_of
from adapters.errors import NoClosedLabels
from adapters.evaluation.metrics import MetricName, Wanted, get_metric
from adapters.evaluation.run import EvaluationEvent, OnProgress, ask_child
from adapters.evaluation.statistics import Resamples, Score

WORK_PREFIX = ".probe-"
FOLDS = 5  # rows are guessed by a layer fitted on the other four fifths
MAX_ROWS = 1_000  # keeps the probe within some two minutes on two cores
ENOUGH = 0.9  # own choice: less than a tenth of the answers is left for training to win

ProbeVerdict = Literal["signal_present", "signal_partial", "no_signal"]


@dataclass(frozen=True, slots=True)
class LinearProbe:
    """What a linear layer on frozen features reaches, by rows it was not fitted on.

    Attributes:
        rows: How many were guessed.
        labels: How often each label stands in them.
        accuracy: Of the linear layer, with its 95 % interval.
        macro_f1: Likewise.
        majority_accuracy: Of always the most frequent label.
        majority_macro_f1: Likewise.
        gain: Accuracy above the majority's, on the same rows.
        verdict: Whether the signal is there.
        left_out: Rows not used, and why.
        base_model: Whose features these are.
    """

    rows: int
    labels: Mapping[str, int]
    accuracy: Score
    macro_f1: Score
    majority_accuracy: Score
    majority_macro_f1: Score
    gain: Score
    verdict: ProbeVerdict
    left_out: Mapping[str, int]
    base_model: str

    @property
    def says(self) -> str:
        """The verdict in words."""
        reached = f"{self.accuracy.score:.2f} [{self.accuracy.low:.2f}, {self.accuracy.high:.2f}]"
        majority = f"the most frequent label alone {self.majority_accuracy.score:.2f}"
        if self.verdict == "signal_present":
            return (
                f"a linear layer on frozen features already reaches {reached} ({majority}); "
                "training may not be needed: try a few-shot prompt first"
            )
        if self.verdict == "signal_partial":
            return (
                f"a linear layer on frozen features reaches {reached}, {majority}: part of the "
                "signal is already there, and training can build on it"
            )
        return (
            f"a linear layer on frozen features reaches {reached}, no better than {majority}: the "
            "features of the base model do not tell the labels apart; check the rows, "
            "or expect to need many of them"
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the probe as plain content."""
        fields = asdict(self)
        for name, value in fields.items():
            if isinstance(value, Score):
                fields[name] = value.model_dump()
        return {**fields, "says": self.says}


@dataclass(frozen=True, slots=True)
class _Labelled:
    row: Row
    label: str
    group: str


def probe_rows(
    config: TrainingConfig,
    *,
    base: ModelFolder,
    environment: Mapping[str, str],
    settings: AdaptersConfig | None = None,
    on_progress: OnProgress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> LinearProbe:
    """Say how far a linear layer on the frozen base model tells the labels of the rows.

    Args:
        config: Of the run that is thought of; its rows, seed and `cutoff_len` are used.
        base: The base model.
        environment: Of the child process.
        settings: Threads and priority.
        on_progress: Told how far it is.
        cancelled: Asked several times a second; true stops it.

    Raises:
        InvalidTrainingData: Rows cannot be read.
        NoClosedLabels: The answers are no closed set of labels, or too rare.
        EvaluationFailed: The child ended without an answer.
        EvaluationCancelled: `cancelled` said so.
    """
    if config.method.compares_answers:
        raise NoClosedLabels("preference pairs have no labels, which the linear probe needs")
    limits = settings or AdaptersConfig()
    rows = [row for row in config.load_rows() if isinstance(row, Row)]
    chosen, left_out = _choose(rows, config.seed)
    job = {
        "base": str(base.folder),
        "prompts": [[turn.as_dict() for turn in one.row.messages[:-1]] for one in chosen],
        "labels": [one.label for one in chosen],
        "groups": [one.group for one in chosen],
        "folds": FOLDS,
        "seed": config.seed,
        "most_tokens": config.cutoff_len,
    }
    with tempfile.TemporaryDirectory(prefix=WORK_PREFIX) as work:
        call = "adapters.evaluation.process.features:guess_labels"
        made = ask_child(
            Task.in_folder(Path(work), call, job, left_out=()),  # it needs scikit-learn
            environment=environment,
            limits=limits,
            on_progress=on_progress or _ignore,
            cancelled=cancelled or _never,
        )
    return _score(job["labels"], made, left_out, base.id)  # type: ignore[arg-type]  # texts, as above


def _choose(rows: Sequence[Row], seed: int) -> tuple[list[_Labelled], dict[str, int]]:
    """Return the rows to guess, in file order, and how many were left out for which reason."""
    answers = [row.messages[-1].content.strip() for row in rows]
    if not are_labels(answers):
        raise NoClosedLabels(
            f"{len(set(answers))} different answers in {len(rows)} rows are not a closed set of "
            "labels: the linear probe is for classification, where a few short answers are "
            "repeated often"
        )
    distinct: dict[tuple[str, str], _Labelled] = {}
    for row, label, group in zip(rows, answers, group_rows(rows), strict=True):
        distinct.setdefault((question_of(row), label), _Labelled(row, label, group))
    groups = Counter(label for label, _ in {(one.label, one.group) for one in distinct.values()})
    frequent = [one for one in distinct.values() if groups[one.label] >= FOLDS]
    if len({one.label for one in frequent}) < 2:
        raise NoClosedLabels(
            f"{len(frequent)} different rows of {len(rows)} have a label with {FOLDS} sources or "
            "more; two such labels are needed, so that each row is predicted from others"
        )
    left_out = {"repeated": len(rows) - len(distinct), "rare_label": len(distinct) - len(frequent)}
    if len(frequent) > MAX_ROWS:
        places = sorted(random.Random(seed).sample(range(len(frequent)), MAX_ROWS))
        left_out["over_limit"] = len(frequent) - MAX_ROWS
        frequent = [frequent[place] for place in places]
    return frequent, {reason: count for reason, count in left_out.items() if count}


def _score(
    labels: Sequence[str],
    made: Mapping[str, Sequence[str]],
    left_out: Mapping[str, int],
    base_model: str,
) -> LinearProbe:
    wanted = [Wanted(label) for label in labels]
    resamples = Resamples.draw(len(labels))

    def count(name: MetricName, guesses: Sequence[str]) -> Any:
        metric = get_metric(name, wanted)
        return np.stack([metric.count(g, w) for g, w in zip(guesses, wanted, strict=True)])

    def score(name: MetricName, guesses: Sequence[str]) -> Score:
        return resamples.score(count(name, guesses), get_metric(name, wanted).score)

    layer, majority = made["guesses"], made["majority"]
    accuracy = score("accuracy", layer)
    gain = resamples.difference(
        count("accuracy", layer),
        count("accuracy", majority),
        get_metric("accuracy", wanted).score,
    )
    verdict: ProbeVerdict = "no_signal"
    if gain.low > 0:
        verdict = "signal_present" if accuracy.score >= ENOUGH else "signal_partial"
    return LinearProbe(
        rows=len(labels),
        labels=dict(Counter(labels).most_common()),
        accuracy=accuracy,
        macro_f1=score("macro_f1", layer),
        majority_accuracy=score("accuracy", majority),
        majority_macro_f1=score("macro_f1", majority),
        gain=gain,
        verdict=verdict,
        left_out=left_out,
        base_model=base_model,
    )


def _ignore(_event: EvaluationEvent) -> None:
    return None


def _never() -> bool:
    return False
