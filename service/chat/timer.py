"""How long each stage of an answer took."""

import time

STAGES = ("route", "retrieve", "first_token", "generate")


class StageTimer:
    """Wall time of each stage, in milliseconds."""

    def __init__(self) -> None:
        self._start = self._last = time.perf_counter()
        self._marks: dict[str, float] = {}

    def mark(self, stage: str) -> None:
        """End `stage` here."""
        now = time.perf_counter()
        self._marks[stage] = round((now - self._last) * 1000, 3)
        self._last = now

    def timings_ms(self) -> dict[str, float]:
        """Return each stage, 0 where it did not happen (`rewrite` is left out), and the total."""
        total = (time.perf_counter() - self._start) * 1000
        return {**dict.fromkeys(STAGES, 0.0), **self._marks, "total": round(total, 3)}
