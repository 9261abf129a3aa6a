"""Training runs and checks in words, and as the documents that `--json` prints."""

import time
from collections.abc import Iterator, Sequence
from typing import Any

from adapters import TrainingCheck, TrainingRun
from service.api.schemas.shapes import JsonObject

_BARS = "▁▂▃▄▅▆▇█"
_CURVE_WIDTH = 60


def run_document(found: TrainingRun) -> JsonObject:
    """Return a run as `--json` prints it."""
    return {"id": found.run_id, "object": "training_run", **_content(found)}


def _content(found: TrainingRun) -> dict[str, Any]:
    return found.as_dict()


def done_document(found: TrainingRun) -> JsonObject:
    """Return the last line of a run that has ended."""
    return {
        "event": "done",
        "run": found.run_id,
        "adapter": found.adapter_id,
        "adapter_id": found.adapter_id,
        "steps": found.steps,
        "loss": found.loss,
    }


def describe_run(found: TrainingRun) -> str:
    """Return one line about a run."""
    parts = [f"{found.run_id}  {found.status}  {found.stage} {found.task}"]
    if found.step is not None and found.steps:
        parts.append(f"step {found.step} of {found.steps}")
    if found.loss is not None:
        parts.append(f"loss {found.loss:.3f}")
    if found.status == "running":
        parts.append(f"last update {max(0.0, time.time() - found.updated_at):.0f} s ago")
    if found.checkpoint_step is not None and found.status != "running":
        parts.append(f"can resume from step {found.checkpoint_step}")
    if found.adapter_id:
        parts.append(found.adapter_id)
    return "  ".join(parts)


def notable_lines(events: Sequence[JsonObject]) -> Iterator[str]:
    """Yield what a run's events say, except for progress."""
    for event in events:
        if event["event"] not in ("progress", "heartbeat"):
            yield f"{event['event']}: {event.get('message', '')}"


def curve_lines(events: Sequence[JsonObject]) -> list[str]:
    """Return the loss curve as one line; no line without a loss."""
    losses = [float(loss) for event in events if isinstance(loss := event.get("loss"), int | float)]
    if not losses:
        return []
    count = min(_CURVE_WIDTH, len(losses))
    points = [losses[i * len(losses) // count] for i in range(count)]
    low, high = min(points), max(points)
    scale = (len(_BARS) - 1) / ((high - low) or 1.0)
    bars = "".join(_BARS[round((point - low) * scale)] for point in points)
    return [f"loss {losses[0]:.3f} {bars} {losses[-1]:.3f}"]


def describe_check(found: TrainingCheck) -> str:
    """Return what a check found, line by line."""
    lines = [f"{found.stage} {found.task} on {found.base_model}"]
    if found.minimums is not None:
        rows = found.minimums
        lines.append(
            f"rows: {rows.rows} (pilot {rows.pilot}, go-live {rows.min_rows}, recommended "
            f"{rows.recommended}): {rows.verdict}"
        )
    if found.counts is not None:
        counts = found.counts
        lines.append(
            f"tokens: {counts['tokens']} in {counts['answers']} answers; "
            f"{counts['tokens_cut']} truncated"
        )
    if found.estimate is not None:
        about = found.estimate
        lines.append(
            f"about {about.time_s / 60:.0f} min for {about.steps} steps "
            f"({about.tokens_per_s:.0f} tokens/s, {about.rate_from}), "
            f"{about.memory_bytes / 1e9:.1f} GB of memory"
        )
    if found.probe is not None:
        lines.append(f"linear probe: {found.probe.says}")
    if found.not_probed is not None:
        lines.append(f"linear probe skipped: {found.not_probed}")
    lines += [f"warning: {text}" for text in found.warnings]
    lines += [f"refused: {text}" for text in found.problems]
    return "\n".join(
        [*lines, "this can be trained" if found.can_train else "this cannot be trained"]
    )
