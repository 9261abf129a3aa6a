"""Which rows are evaluated, by which metric, and what the model is shown for each.

Knows rows, the policy's words for metrics, and what a training run records beside its adapter
for this; knows neither models nor scores.
"""

import difflib
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.config import TrainingConfig
from adapters.data import Message, Row, hash_rows, hold_out, load_rows
from adapters.data.agreement import are_labels
from adapters.errors import InvalidEvaluationRows
from adapters.evaluation.gate import TaskMetrics
from adapters.evaluation.metrics import (
    METRICS,
    MetricName,
    Wanted,
    read_pairs,
    read_tokens,
)

TRAINED_ROWS_FILE = "evaluation_source.json"  # beside the adapter, written by its training run
MAX_EXAMPLES = 8  # recorded for few-shot prompts; more would not fit into small context windows
HASH_CHARS = 16  # of SHA-256: two of a million rows are alike by chance in 1 of 37 million cases

# The shape of answers, where neither a row nor its task names a metric; own choices.
MAX_SHORT_TOKENS = 20  # answers to questions; what is longer is text


@dataclass(frozen=True, slots=True)
class TrainedRows:
    """What is recorded of the rows an adapter was trained on.

    Attributes:
        trained: Digests of the rows it was trained on.
        tasks: The tasks these rows name; empty if they name none.
        examples: A few of them, for few-shot prompts.
    """

    trained: frozenset[str]
    tasks: frozenset[str]
    examples: tuple[tuple[Message, ...], ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """One row as it is asked.

    Attributes:
        prompt: Everything before the last answer.
        few_shot: The same with examples before it; none where there are no examples.
        wanted: The last answer.
        kind: What the row calls its kind, or its language; none if neither.
        refusal: Whether the right answer is a refusal; none if the row has nothing to refuse on.
        place: `file:line`.
    """

    prompt: tuple[Message, ...]
    few_shot: tuple[Message, ...] | None
    wanted: Wanted
    kind: str | None
    refusal: bool | None
    place: str


@dataclass(frozen=True, slots=True)
class Samples:
    """The rows of one evaluation.

    Attributes:
        rows: At least one.
        metric: Of all of them.
        task: As the rows name it; none if they do not.
        examples: How many examples a few-shot prompt shows.
        examples_from: `training` or `set aside`: rows of the file, which are then not evaluated.
        left_out: Rows of the file that were not asked, and why.
        sha256: Of the evaluated rows.
    """

    rows: tuple[Sample, ...]
    metric: MetricName
    task: str | None
    examples: int
    examples_from: str
    left_out: Mapping[str, int]
    sha256: str


def record_trained_rows(folder: Path, trained: Sequence[Row]) -> None:
    """Write into an adapter's folder what its evaluation needs to know of the trained rows.

    Args:
        folder: Of the adapter.
        trained: The rows it was trained on, held-out ones not among them.
    """
    content = {
        "trained": [_digest(row) for row in trained],
        "tasks": sorted(_tasks(trained)),
        "examples": [
            [message.as_dict() for message in row.messages]
            for row in choose_examples(trained, MAX_EXAMPLES)
        ],
    }
    text = json.dumps(content, ensure_ascii=False)
    (folder / TRAINED_ROWS_FILE).write_text(text + "\n", encoding="utf-8")


def read_trained_rows(folder: Path) -> TrainedRows:
    """Return what was recorded; nothing of an adapter that came without it."""
    try:
        content: Any = json.loads((folder / TRAINED_ROWS_FILE).read_text(encoding="utf-8"))
        examples = tuple(
            tuple(Message(turn["role"], turn["content"]) for turn in turns)
            for turns in content["examples"]
        )
        return TrainedRows(frozenset(content["trained"]), frozenset(content["tasks"]), examples)
    except (OSError, ValueError, KeyError, TypeError):
        return TrainedRows(frozenset(), frozenset(), ())


def choose_examples(rows: Sequence[Row], count: int) -> list[Row]:
    """Return up to `count` rows, spread over the shorter half in the order of the file."""
    short = sorted(rows, key=_length)[: max(count, (len(rows) + 1) // 2)]
    chosen = {id(row) for row in short}
    ordered = [row for row in rows if id(row) in chosen]
    step = max(1, len(ordered) // count) if count else 1
    return ordered[::step][:count]


def held_out_rows(config: TrainingConfig) -> list[Row]:
    """Return the rows that a training run of `config` holds back; empty with `val_size` 0."""
    return hold_out(load_rows(config.dataset), config.val_size, seed=config.seed)[1]


def make_samples(
    rows: Sequence[Row],
    known: TrainedRows,
    words: TaskMetrics,
    *,
    adapter_task: str,
    few_shot: int,
    limit: int | None = None,
) -> Samples:
    """Return the rows as they are asked.

    Args:
        rows: Of the evaluation, in file order.
        known: What is recorded of the rows it was trained on.
        words: Which metric a word in a task's name asks for.
        adapter_task: First part of the adapter's id.
        few_shot: Examples in a few-shot prompt, 0 for none.
        limit: Most rows to ask; none asks all.

    Raises:
        InvalidEvaluationRows: There are none, they are of a task the adapter was not trained on,
            all of them were trained on, or they ask for different or unknown metrics.
    """
    if not rows:
        raise InvalidEvaluationRows("there are no rows to evaluate on; was a row held out at all?")
    _check_tasks(rows, known, adapter_task)
    metric = choose_metric(rows, words)
    fresh = [row for row in rows if _digest(row) not in known.trained]
    left_out = {"trained_on": len(rows) - len(fresh)}
    if not fresh:
        raise InvalidEvaluationRows(
            f"all {len(rows)} rows were trained on; evaluate on rows the adapter has not seen"
        )
    examples, origin = list(known.examples[:few_shot]), "training"
    if not examples and few_shot and len(fresh) > 2 * few_shot:
        chosen = choose_examples(fresh, few_shot)
        examples, origin = [row.messages for row in chosen], "set aside"
        fresh = [row for row in fresh if not any(row is taken for taken in chosen)]
        left_out["examples"] = len(chosen)
    asked = fresh[:limit]
    left_out["over_limit"] = len(fresh) - len(asked)
    return Samples(
        rows=tuple(_to_sample(row, examples) for row in asked),
        metric=metric,
        task="+".join(sorted(_tasks(asked))) or None,
        examples=len(examples),
        examples_from=origin,
        left_out={reason: count for reason, count in left_out.items() if count},
        sha256=hash_rows(asked),
    )


def choose_metric(rows: Sequence[Row], words: TaskMetrics) -> MetricName:
    """Return the metric of `rows`: named by them, by their task, or found from their answers.

    Raises:
        InvalidEvaluationRows: They name an unknown metric, or more than one.
    """
    chosen: dict[MetricName, Row] = {}
    for row in rows:
        name = _named(row) or _of_task(row, words)
        if name is not None:
            chosen.setdefault(name, row)
    if len(chosen) > 1:
        places = ", ".join(f"{name} ({row.file}:{row.line})" for name, row in chosen.items())
        raise InvalidEvaluationRows(
            f"the rows ask for different metrics: {places}; evaluate each task by itself"
        )
    return next(iter(chosen), None) or _by_shape([row.messages[-1].content for row in rows])


def _by_shape(answers: Sequence[str]) -> MetricName:
    if all(read_pairs(answer) is not None for answer in answers):
        return "slot_f1"
    if all(_is_json(answer) for answer in answers):
        return "json_validity"
    if are_labels(answers):
        return "accuracy"
    tokens = sorted(len(read_tokens(answer)) for answer in answers)
    return "token_f1" if tokens[len(tokens) // 2] <= MAX_SHORT_TOKENS else "chrf"


def _is_json(answer: str) -> bool:
    """Say whether an answer is a JSON object or list; a bare number or word is none here."""
    try:
        return isinstance(json.loads(answer), dict | list)
    except (ValueError, RecursionError):
        return False


def _named(row: Row) -> MetricName | None:
    name = row.meta.get("metric")
    if name is None:
        return None
    for known in METRICS:
        if name == known:
            return known
    near = difflib.get_close_matches(str(name), METRICS, n=1)
    known_names = f"did you mean {near[0]}?" if near else f"known are {', '.join(METRICS)}"
    raise InvalidEvaluationRows(f"{row.file}:{row.line}: unknown metric {name!r}; {known_names}")


def _of_task(row: Row, words: TaskMetrics) -> MetricName | None:
    task = row.meta.get("task")
    if not isinstance(task, str):
        return None
    return next((metric for word, metric in words.words.items() if word in task.lower()), None)


def _tasks(rows: Sequence[Row]) -> set[str]:
    return {task for row in rows if isinstance(task := row.meta.get("task"), str) and task}


def _check_tasks(rows: Sequence[Row], known: TrainedRows, adapter_task: str) -> None:
    """Refuse rows that name a task, where the trained rows did so too and named another."""
    tasks = {_plain(task) for task in (*known.tasks, adapter_task)}
    for row in rows if known.tasks else ():
        task = row.meta.get("task")
        if isinstance(task, str) and task and _plain(task) not in tasks:
            raise InvalidEvaluationRows(
                f"{row.file}:{row.line}: the row is of task {task}, but the adapter was trained "
                f"on rows of {', '.join(sorted(known.tasks))}"
            )


def _plain(task: str) -> str:
    return task.lower().replace("_", "-")


def _to_sample(row: Row, examples: Sequence[Sequence[Message]]) -> Sample:
    prompt, answer = row.messages[:-1], row.messages[-1]
    schema = row.meta.get("schema")
    kind = row.meta.get("kind") or row.meta.get("lang")
    return Sample(
        prompt=prompt,
        few_shot=_with_examples(prompt, examples) if examples else None,
        wanted=Wanted(answer.content, schema if isinstance(schema, Mapping) else None),
        kind=str(kind) if kind else None,
        refusal=_is_refusal_row(row),
        place=f"{row.file.name}:{row.line}",
    )


def _is_refusal_row(row: Row) -> bool | None:
    """Say whether the right answer is a refusal; none where the row says nothing of this."""
    if "refusal" in row.meta:
        return bool(row.meta["refusal"])
    kind = row.meta.get("kind")
    if kind in ("refusal", "unanswerable"):
        return True
    return False if row.meta.get("context") or kind == "context" else None


def _with_examples(
    prompt: Sequence[Message], examples: Sequence[Sequence[Message]]
) -> tuple[Message, ...]:
    """Return `prompt` with the examples as earlier turns; its own system turn stays first."""
    head = [message for message in prompt if message.role == "system"]
    own = head or [m for turns in examples[:1] for m in turns if m.role == "system"]
    shown = [message for turns in examples for message in turns if message.role != "system"]
    return (*own, *shown, *(message for message in prompt if message.role != "system"))


def _digest(row: Row) -> str:
    turns = [[message.role, message.content] for message in row.messages]
    return hashlib.sha256(json.dumps(turns, ensure_ascii=False).encode()).hexdigest()[:HASH_CHARS]


def _length(row: Row) -> int:
    return sum(len(message.content) for message in row.messages)
