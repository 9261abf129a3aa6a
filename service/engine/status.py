"""What is known about the model server at this moment.

It knows which adapters are loaded and proven, and how many answers use each; it does not ask the
server itself: `service/engine/publisher.py` does, and tells it.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager


class EngineStatus:
    """The last known state of the model server."""

    def __init__(self) -> None:
        self.is_up = False
        self._listed: frozenset[str] = frozenset()
        self._proven: frozenset[str] = frozenset()
        self._waiting_for: tuple[str, ...] = ("model server",)
        self._in_use: Counter[str] = Counter()

    @property
    def is_ready(self) -> bool:
        """Whether the server answers and every live adapter is loaded and proven."""
        return self.is_up and not self._waiting_for

    @property
    def waiting_for(self) -> tuple[str, ...]:
        """What is not ready yet, in words."""
        return self._waiting_for

    def lost(self, reason: str) -> None:
        """Note that the server does not answer; a restart forgets every adapter."""
        self.is_up = False
        self._listed = self._proven = frozenset()
        self._waiting_for = (f"model server: {reason}",)

    def found(self, listed: Sequence[str]) -> None:
        """Note the models that the server lists; an adapter not listed is not proven."""
        self.is_up = True
        self._listed = frozenset(listed)
        self._proven &= self._listed

    def lists(self, name: str) -> bool:
        """Whether the server lists this model or adapter."""
        return name in self._listed

    def proven(self, name: str) -> None:
        """Note that the adapter is loaded and passed its effect check."""
        self._listed |= {name}
        self._proven |= {name}

    def dropped(self, name: str) -> None:
        """Note that the adapter was unloaded."""
        self._listed -= {name}
        self._proven -= {name}

    def serves(self, name: str) -> bool:
        """Whether answers may use this adapter now."""
        return self.is_up and name in self._proven

    def still_waits_for(self, what: Sequence[str]) -> None:
        """Note what keeps the service from being ready; nothing means ready."""
        self._waiting_for = tuple(what)

    @contextmanager
    def in_use(self, name: str) -> Iterator[None]:
        """Count one answer on `name` for as long as the block runs."""
        self._in_use[name] += 1
        try:
            yield
        finally:
            self._in_use[name] -= 1
            if not self._in_use[name]:
                del self._in_use[name]

    def answers_on(self, name: str) -> int:
        """Return how many answers of this process use `name` now."""
        return self._in_use[name]
