"""The events of a training process.

Knows their fields; knows neither processes nor torch.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

EventName = Literal[
    "loading",
    "data",
    "resumed",
    "progress",
    "held_out",
    "heartbeat",
    "warning",
    "checkpoint",
    "saving",
    "effect",
    "done",
    "failed",
    "cancelled",
    "evaluation_failed",
]
_NAMES = frozenset(get_args(EventName))


@dataclass(frozen=True, slots=True)
class TrainingEvent:
    """One line of a training process.

    Attributes:
        event: What happens: `loading` the base model, `data` read and tokenized, `resumed` from a
            checkpoint, `progress` of the steps, loss on the `held_out` rows, `heartbeat` within a
            long part (not recorded), a `warning`, a `checkpoint` written, `saving` the folder,
            `effect` reference computed, and at the end `done`, `failed` or `cancelled`; after
            `done`, `evaluation_failed` where `do_eval` asked for one.
        message: The same for people.
        step: Steps done.
        steps: Steps in all.
        loss: Mean training loss since the last event of this kind.
        tokens_per_s: Tokens trained on, padding not counted, for each second so far.
        eta_s: Estimated seconds until the last step.
        held_out_loss: Mean loss on the held-out rows, after each epoch.
        adapter_id: Of the finished folder, in `done`.
        code: Of the error, in `failed`, if it is one of ours.
        counts: What the data are, in `data`: rows, answers, tokens, what was cut.
    """

    event: EventName
    message: str = ""
    step: int | None = None
    steps: int | None = None
    loss: float | None = None
    tokens_per_s: float | None = None
    eta_s: float | None = None
    held_out_loss: float | None = None
    adapter_id: str | None = None
    code: str | None = None
    counts: dict[str, int] | None = None

    def as_dict(self) -> dict[str, str | int | float]:
        """Return what is known of the event as plain content."""
        return {key: value for key, value in asdict(self).items() if value is not None}


def to_event(content: Mapping[str, Any]) -> TrainingEvent | None:
    """Return the event that a training process sent; none if it is no such event."""
    if content.get("event") not in _NAMES:
        return None
    try:
        return TrainingEvent(**content)
    except TypeError:
        return None
