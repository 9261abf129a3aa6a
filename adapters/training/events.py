"""What a training process says while it works: one JSON object a line.

Knows the wire form of events; knows neither processes nor torch.
"""

import json
from dataclasses import asdict, dataclass
from typing import Literal, get_args

EventName = Literal["loading", "data", "progress", "saving", "effect", "done", "failed"]
_NAMES = frozenset(get_args(EventName))


@dataclass(frozen=True, slots=True)
class TrainingEvent:
    """One line of a training process.

    Attributes:
        event: What happens: `loading` the base model, `data` read and tokenized, `progress` of
            the steps, `saving` the folder, `effect` reference computed, `done`, `failed`.
        message: The same for people.
        step: Steps done.
        steps: Steps in all.
        loss: Mean training loss since the last event of this kind.
        tokens_per_s: Tokens trained on, padding not counted, for each second so far.
        eta_s: Estimated seconds until the last step.
        adapter_id: Of the finished folder, in `done`.
    """

    event: EventName
    message: str = ""
    step: int | None = None
    steps: int | None = None
    loss: float | None = None
    tokens_per_s: float | None = None
    eta_s: float | None = None
    adapter_id: str | None = None

    def as_dict(self) -> dict[str, object]:
        """Return what is known of the event as plain content."""
        return {key: value for key, value in asdict(self).items() if value is not None}


def read_event(line: str) -> TrainingEvent | None:
    """Return the event in a line of a training process; none if the line holds no event."""
    try:
        fields = json.loads(line)
        if fields.get("event") not in _NAMES:
            return None
        return TrainingEvent(**fields)
    except (ValueError, AttributeError, TypeError):
        return None
