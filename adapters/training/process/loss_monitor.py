"""Warns about the loss of a run: a jump, NaN, overfitting, large gradients.

Pure: knows numbers and steps; knows nothing of training.
"""

import math
from collections import deque
from statistics import median

# Healthy runs have gradients of 0.1 to 10 by axolotl's guide; beyond 100 it calls them unstable.
UNSTABLE_GRAD_NORM = 100.0
SPIKE_FACTOR = 3.0  # times the median of the last losses; our own choice, twice is common noise
SPIKE_WINDOW = 10
MIN_SPIKE = 0.5  # a jump from 0.01 to 0.04 is threefold and means nothing
OVERFIT_EPOCHS = 2  # held-out loss up so often in a row while the training loss falls


class LossMonitor:
    """Checks each loss as it comes and warns of each problem when it begins."""

    def __init__(self) -> None:
        self._last: deque[float] = deque(maxlen=SPIKE_WINDOW)
        self._is_unstable = False
        self._held_out: list[float] = []
        self._trained_at: list[float] = []

    def check(self, step: int, loss: float, grad_norm: float | None) -> list[str]:
        """Return the warnings about the loss of one step."""
        if not math.isfinite(loss):
            return [f"step {step}: the loss is NaN; lower learning_rate"]
        found = []
        usual = median(self._last) if len(self._last) == SPIKE_WINDOW else None
        if usual is not None and loss > SPIKE_FACTOR * usual and loss - usual > MIN_SPIKE:
            found.append(f"step {step}: the loss jumped from {usual:.3f} to {loss:.3f}")
        is_unstable = grad_norm is not None and not grad_norm <= UNSTABLE_GRAD_NORM
        if is_unstable and not self._is_unstable:
            found.append(f"step {step}: gradient norm {grad_norm:.0f}; the run is unstable")
        self._is_unstable = is_unstable
        if loss == 0.0:
            found.append(f"step {step}: the loss is 0: no token of these rows is trained on")
        self._last.append(loss)
        return found

    def check_held_out(self, step: int, loss: float) -> list[str]:
        """Return the warnings about a loss on held-out rows."""
        trained = median(self._last) if self._last else math.inf
        self._held_out.append(loss)
        self._trained_at.append(trained)
        last = self._held_out[-OVERFIT_EPOCHS - 1 :]
        rises = len(last) > OVERFIT_EPOCHS and all(
            b > a for a, b in zip(last, last[1:], strict=False)
        )
        if rises and self._trained_at[-1] < self._trained_at[-OVERFIT_EPOCHS - 1]:
            return [
                f"step {step}: held-out loss rose to {loss:.3f} while the training loss fell; "
                "overfitting, use fewer epochs"
            ]
        return []
