"""Which rows are evaluated, by which metric, and what the model is shown for each.

Knows rows, the policy's words for metrics, and what is recorded of the trained rows; knows neither
models nor scores.
"""

import difflib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from adapters.config import TrainingConfig
from adapters.data import Message, Row, hash_rows, hold_out
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
from adapters.evaluation.trained_rows import TrainedRows, as_row, choose_examples, tasks_of

MAX_SEEN_ROWS = 100  # with answers trained on: a share within 10 points, 95 % of the time

# The shape of answers, where neither a row nor its task names a metric; own choices.
MAX_SHORT_TOKENS = 20  # answers to questions; what is longer is text


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
        seen_values: Slots and values of `wanted` that were trained on.
    """

    prompt: tuple[Message, ...]
    few_shot: tuple[Message, ...] | None
    wanted: Wanted
    kind: str | None
    refusal: bool | None
    place: str
    seen_values: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Samples:
    """The rows of one evaluation.

    Attributes:
        rows: At least one, judged: neither their questions nor their answers were trained on.
        metric: Of all of them.
        task: As the rows name it; none if they do not.
        examples: How many examples a few-shot prompt shows.
        examples_from: `training` or `set aside`: rows of the file, which are then not evaluated.
        left_out: Rows of the file that were not asked, and why.
        sha256: Of the judged rows.
        seen_answers: Rows whose question is new but whose answer was trained on: asked and
            reported apart, at most `MAX_SEEN_ROWS`.
    """

    rows: tuple[Sample, ...]
    metric: MetricName
    task: str | None
    examples: int
    examples_from: str
    left_out: Mapping[str, int]
    sha256: str
    seen_answers: tuple[Sample, ...] = ()


def held_out_rows(config: TrainingConfig) -> list[Row]:
    """Return the rows that a training run of `config` holds back; empty with `val_size` 0.

    Of a preference pair it is the prompt with the preferred answer.
    """
    held_out = hold_out(config.load_rows(), config.val_size, seed=config.seed)[1]
    return [as_row(row) for row in held_out]


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
            all of their questions or answers were trained on, or they ask for different or
            unknown metrics.
    """
    if not rows:
        raise InvalidEvaluationRows("there are no rows to evaluate on; was a row held out at all?")
    _check_tasks(rows, known, adapter_task)
    metric = choose_metric(rows, words)
    fresh = [row for row in rows if not known.has_asked(row)]
    left_out = {"trained_on": len(rows) - len(fresh)}
    if not fresh:
        raise InvalidEvaluationRows(
            f"all {len(rows)} rows were trained on; evaluate on rows the adapter has not seen"
        )
    seen = [row for row in fresh if known.has_answered(row)]
    fresh = [row for row in fresh if not known.has_answered(row)]
    if not fresh:
        raise InvalidEvaluationRows(
            f"the answers of all {len(seen)} rows with new questions were trained on: such rows "
            "show what was memorised; evaluate on rows with other answers"
        )
    examples, origin = list(known.examples[:few_shot]), "training"
    if not examples and few_shot and len(fresh) > 2 * few_shot:
        chosen = choose_examples(fresh, few_shot)
        examples, origin = [row.messages for row in chosen], "set aside"
        fresh = [row for row in fresh if not any(row is taken for taken in chosen)]
        left_out["examples"] = len(chosen)
    asked, apart = fresh[:limit], seen[: min(limit or MAX_SEEN_ROWS, MAX_SEEN_ROWS)]
    left_out["over_limit"] = len(fresh) - len(asked)
    left_out["answer_trained_on"] = len(seen)
    return Samples(
        rows=tuple(_to_sample(row, examples, known) for row in asked),
        seen_answers=tuple(_to_sample(row, (), known) for row in apart),
        metric=metric,
        task="+".join(sorted(tasks_of(asked))) or None,
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


def _to_sample(row: Row, examples: Sequence[Sequence[Message]], known: TrainedRows) -> Sample:
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
        seen_values=frozenset(filter(known.has_value, read_pairs(answer.content) or ())),
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
