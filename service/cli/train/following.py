"""The events of a training run while it runs.

It knows the journal's events and the progress bar; it does not know who trains.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from adapters import read_events
from service.api.schemas.shapes import JsonObject
from service.cli.output import Output, ProgressBar

_POLL_S = 0.5


def follow(folder: Path, has_ended: Callable[[], bool]) -> Iterator[JsonObject]:
    """Yield a run's events as they come, until it has ended and all of them were yielded."""
    after = 0
    while True:
        ended = has_ended()
        for event in read_events(folder, after=after):
            after = event["id"] + 1
            yield event
        if ended:
            return
        time.sleep(_POLL_S)


def show_event(output: Output, bar: ProgressBar, event: JsonObject, fraction: float | None) -> None:
    """Show one event: as a line of JSON, or by the bar. The last line is the command's result."""
    if event["event"] in ("done", "failed", "cancelled"):
        return
    if event["event"] in ("warning", "resumed", "evaluation_failed"):
        output.info(f"{event['event']}: {event.get('message', '')}")
    output.event(event)
    bar.show(fraction, note_of(event))


def fraction_of(event: JsonObject) -> float | None:
    """Return how far the run was at an event of its journal."""
    step, steps = event.get("step"), event.get("steps")
    if isinstance(step, int) and isinstance(steps, int) and steps:
        return step / steps
    return None


def note_of(event: JsonObject) -> str:
    """Return what an event says, with the rate and the time left."""
    note = str(event.get("message", ""))
    if isinstance(rate := event.get("tokens_per_s"), int | float) and rate:
        note += f", {rate:.0f} tokens/s"
    if isinstance(left_s := event.get("eta_s"), int | float):
        note += f", {left_s:.0f} s left"
    return note
