"""Evaluates one adapter: checks, asks in a child process, scores, and writes beside the adapter.

The parent's side; it loads no torch. Written are `evaluation.json`, `evaluation_rows.jsonl` (every
answer), `evaluation.svg` and a section of the model card; weights and settings stay untouched.
"""

import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.base_models import ModelFolder
from adapters.children import ChildFailed, Task, run_child
from adapters.config import AdaptersConfig
from adapters.data import Row
from adapters.errors import (
    AdapterNotFound,
    BaseModelMismatch,
    EvaluationCancelled,
    EvaluationFailed,
    NotServable,
)
from adapters.evaluation.gate import load_gate_policy
from adapters.evaluation.guards import MAX_NEW_TOKENS, GuardItem, load_guards
from adapters.evaluation.report import write_report
from adapters.evaluation.result import Answers, Evaluation, Subject, score_answers
from adapters.evaluation.samples import Sample, Samples, make_samples
from adapters.evaluation.trained_rows import read_trained_rows
from adapters.files.adapter_id import task_of
from adapters.files.run_json import read_run_json
from adapters.files.weights import ADAPTER_SETTINGS

EVALUATION_FILE = "evaluation.json"
ANSWERS_FILE = "evaluation_rows.jsonl"
WORK_PREFIX = ".evaluation-"
FEW_SHOT = 3  # examples in a few-shot prompt; what people try before they train


@dataclass(frozen=True, slots=True)
class EvaluationEvent:
    """How far an evaluation is: prompts answered of all, and seconds left."""

    message: str
    done: int
    total: int
    eta_s: float | None = None


OnProgress = Callable[[EvaluationEvent], None]


def evaluate_adapter(
    folder: Path,
    rows: Sequence[Row],
    *,
    base: ModelFolder,
    environment: Mapping[str, str],
    few_shot: int = FEW_SHOT,
    live: Path | None = None,
    limit: int | None = None,
    on_progress: OnProgress | None = None,
    cancelled: Callable[[], bool] | None = None,
    settings: AdaptersConfig | None = None,
) -> Evaluation:
    """Measure an adapter against its base model and judge it.

    Args:
        folder: Of the adapter, named by its id.
        rows: Of the adapter's task; those it was trained on are left out.
        base: The base model, which is the one served.
        environment: Of the child process; telemetry of every library is turned off on top.
        few_shot: Examples in the few-shot prompts, 0 leaves few-shot out.
        live: Folder of the adapter that serves the task now, to be asked as well.
        limit: Most rows to ask; none asks all.
        on_progress: Told how far it is, in the calling thread.
        cancelled: Asked several times a second; true stops it.
        settings: Threads, priority and the gate's policy.

    Returns:
        What was found; it also stands in the adapter's folder.

    Raises:
        AdapterNotFound: There is no such folder.
        NotServable: The folder holds no adapter that says what it was trained on.
        BaseModelMismatch: The adapter was trained on another base model or revision.
        InvalidEvaluationRows: The rows say nothing about this adapter.
        InvalidGatePolicy: The policy file is wrong.
        EvaluationFailed: The child ended without answers; the message has its reason.
        EvaluationCancelled: `cancelled` said so; nothing was changed.
    """
    limits = settings or AdaptersConfig()
    task = _check_adapter(folder, base)
    policy = load_gate_policy(limits.gate_policy)
    samples = make_samples(
        rows,
        read_trained_rows(folder),
        policy.task_metrics,
        adapter_task=task,
        few_shot=few_shot,
        limit=limit,
    )
    guards = load_guards()
    arms = _plan(folder, samples, guards, live)
    work = Path(tempfile.mkdtemp(prefix=WORK_PREFIX, dir=folder.parent))
    try:
        job = {"base": str(base.folder), "arms": arms}
        answers = _ask(
            Task.in_folder(work, "adapters.evaluation.process.generation:generate_all", job),
            environment=environment,
            limits=limits,
            on_progress=on_progress or _ignore,
            cancelled=cancelled or _never,
        )
        found = score_answers(Subject(folder.name, task, base.id, policy), samples, guards, answers)
        _write(work, folder, found, samples, answers)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return found


def read_evaluation(folder: Path) -> Evaluation | None:
    """Return the last evaluation in an adapter's folder; none where there is no readable one."""
    try:
        text = (folder / EVALUATION_FILE).read_text(encoding="utf-8")
        return Evaluation.model_validate_json(text)
    except (OSError, ValueError):
        return None


def _check_adapter(folder: Path, base: ModelFolder) -> str:
    """Return the adapter's task; refuse what is no adapter of this base model."""
    if not folder.is_dir():
        raise AdapterNotFound(f"there is no adapter {folder.name} in {folder.parent}")
    run = read_run_json(folder)
    if not (folder / ADAPTER_SETTINGS).is_file():
        raise NotServable(f"{folder.name}: {ADAPTER_SETTINGS} is missing")
    trained_on = (run["base"]["id"], run["base"]["revision"])
    if trained_on != (base.id, base.revision):
        raise BaseModelMismatch(
            f"{folder.name} was trained on {trained_on[0]} ({trained_on[1]}), "
            f"the base model here is {base.id} ({base.revision})"
        )
    return task_of(folder.name)


def _plan(
    folder: Path, samples: Samples, guards: Sequence[GuardItem], live: Path | None
) -> list[dict[str, Any]]:
    """Return what is asked of whom; arms of one model stand together, so it is loaded once."""
    guarded = {
        "prompts": [list(item.messages) for item in guards],
        "max_new_tokens": MAX_NEW_TOKENS,
    }

    def ask(name: str, adapter: Path | None, **asked: Any) -> dict[str, Any]:
        return {"name": name, "adapter": str(adapter) if adapter else None, **asked}

    def of_model(name: str, adapter: Path | None) -> list[dict[str, Any]]:
        arms = [ask(name, adapter, **_prompts(samples.rows))]
        if samples.seen_answers:
            arms.append(ask(f"seen_{name}", adapter, **_prompts(samples.seen_answers)))
        return [*arms, ask(f"guards_{name}", adapter, **guarded)]

    arms = of_model("base", None)
    if samples.examples:
        shown = [[turn.as_dict() for turn in row.few_shot or ()] for row in samples.rows]
        arms.append(ask("few_shot", None, **{**_prompts(samples.rows), "prompts": shown}))
    arms += of_model("adapter", folder)
    if live is not None and live.name != folder.name:
        arms.append(ask("live", live, **_prompts(samples.rows)))
    return arms


def _prompts(rows: Sequence[Sample]) -> dict[str, Any]:
    return {
        "prompts": [[turn.as_dict() for turn in row.prompt] for row in rows],
        "wanted": [row.wanted.text for row in rows],
    }


def ask_child(
    task: Task,
    *,
    environment: Mapping[str, str],
    limits: AdaptersConfig,
    on_progress: OnProgress,
    cancelled: Callable[[], bool],
) -> Any:
    """Have a child do a task and return what it found.

    Raises:
        EvaluationFailed: The child ended without a result; the message has its reason.
        EvaluationCancelled: `cancelled` said so.
    """

    def check() -> None:
        if cancelled():
            raise EvaluationCancelled("the evaluation was cancelled; nothing was changed")

    try:
        return run_child(
            task,
            environment=environment,
            limits=limits,
            on_event=lambda event: on_progress(EvaluationEvent(**event)),
            check=check,
        )
    except ChildFailed as exc:
        raise EvaluationFailed(f"evaluation failed: {exc}", exc.tail) from exc


def _ask(
    task: Task,
    *,
    environment: Mapping[str, str],
    limits: AdaptersConfig,
    on_progress: OnProgress,
    cancelled: Callable[[], bool],
) -> Answers:
    """Have the child answer every prompt."""
    total = sum(len(arm["prompts"]) for arm in task.job["arms"])
    on_progress(EvaluationEvent("loading the base model", 0, total))
    began = time.monotonic()
    made = ask_child(
        task,
        environment=environment,
        limits=limits,
        on_progress=on_progress,
        cancelled=cancelled,
    )
    return Answers(made["arms"], made["dtype"], time.monotonic() - began)


def _write(work: Path, folder: Path, found: Evaluation, samples: Samples, answers: Answers) -> None:
    """Write beside the adapter; `evaluation.json` comes last and at once."""
    arms = [arm for arm in ("base", "few_shot", "adapter", "live") if arm in answers.arms]
    said = {arm: answers.of(arm) for arm in arms}
    with (work / ANSWERS_FILE).open("w", encoding="utf-8") as out:
        for i, row in enumerate(samples.rows):
            each = {arm: said[arm][i] for arm in arms}
            line = {"row": row.place, "kind": row.kind, "wanted": row.wanted.text, **each}
            out.write(json.dumps(line, ensure_ascii=False) + "\n")
    text = json.dumps(found.as_dict(), indent=2, ensure_ascii=False) + "\n"
    (work / EVALUATION_FILE).write_text(text, encoding="utf-8")
    os.replace(work / ANSWERS_FILE, folder / ANSWERS_FILE)
    write_report(folder, found)
    os.replace(work / EVALUATION_FILE, folder / EVALUATION_FILE)


def _ignore(_event: EvaluationEvent) -> None:
    return None


def _never() -> bool:
    return False
