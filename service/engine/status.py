"""The last known state of the model server.

It knows which adapters are loaded and checked, and how many answers use each; it does not ask the
server: `service/engine/loader.py` does, and updates it.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager


class EngineStatus:
    """The last known state of the model server."""

    def __init__(self) -> None:
        self.is_up = False
        self._listed: frozenset[str] = frozenset()
        self._checked: frozenset[str] = frozenset()
        self._waiting_for: tuple[str, ...] = ("model server",)
        self._in_use: Counter[str] = Counter()

    @property
    def is_ready(self) -> bool:
        """Whether the server answers and every live adapter is loaded and checked."""
        return self.is_up and not self._waiting_for

    @property
    def waiting_for(self) -> tuple[str, ...]:
        """What is not ready yet, as texts."""
        return self._waiting_for

    def mark_down(self, reason: str) -> None:
        """Record that the server does not respond; a restart loses every adapter."""
        self.is_up = False
        self._listed = self._checked = frozenset()
        self._waiting_for = (f"model server: {reason}",)

    def update_listed(self, listed: Sequence[str]) -> None:
        """Record the models that the server lists; an adapter not listed must be checked again."""
        self.is_up = True
        self._listed = frozenset(listed)
        self._checked &= self._listed

    def lists(self, name: str) -> bool:
        """Whether the server lists this model or adapter."""
        return name in self._listed

    def mark_ready(self, name: str) -> None:
        """Record that the adapter is loaded and passed its effect check."""
        self._listed |= {name}
        self._checked |= {name}

    def mark_unloaded(self, name: str) -> None:
        """Record that the adapter was unloaded."""
        self._listed -= {name}
        self._checked -= {name}

    def serves(self, name: str) -> bool:
        """Whether answers may use this adapter now."""
        return self.is_up and name in self._checked

    def set_waiting_for(self, waiting_for: Sequence[str]) -> None:
        """Record what is not ready yet; empty means ready."""
        self._waiting_for = tuple(waiting_for)

    @contextmanager
    def in_use(self, name: str) -> Iterator[None]:
        """Count one answer on `name` while the block runs."""
        self._in_use[name] += 1
        try:
            yield
        finally:
            self._in_use[name] -= 1
            if not self._in_use[name]:
                del self._in_use[name]

    def count_answers(self, name: str) -> int:
        """Return how many answers of this process use `name` now."""
        return self._in_use[name]
