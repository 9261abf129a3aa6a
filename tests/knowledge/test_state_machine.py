"""Add, replace, delete, restart, search in any order: the room never differs from a dictionary.

5,000 operations: `--long`, or `python -m tests.benchmarks.durability --cycles 0 --damage 0
--no-churn --operations 5000`.
"""

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from tests.knowledge.state_machine import NAMES, WORDS, Steps
from tests.repetition import times

names, words = st.sampled_from(NAMES), st.sampled_from(WORDS)


class RoomAgainstModel(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self._steps = Steps(Path(self._folder.name))

    @rule(name=names, word=words)
    def put(self, name: str, word: str) -> None:
        self._steps.put(name, word)

    @rule(name=names)
    def put_same(self, name: str) -> None:
        self._steps.put_same(name)

    @rule(name=names)
    def delete(self, name: str) -> None:
        self._steps.delete(name)

    @rule(word=words)
    def search(self, word: str) -> None:
        self._steps.search(word)

    @rule()
    def catch_up(self) -> None:
        self._steps.catch_up()

    @rule()
    def restart(self) -> None:
        self._steps.restart()

    @rule()
    def reindex(self) -> None:
        self._steps.reindex()

    def teardown(self) -> None:
        try:
            self._steps.compare()
        finally:
            self._steps.close()
            self._folder.cleanup()


@pytest.mark.timeout(180)
def test_the_room_never_differs_from_a_dictionary() -> None:
    RoomAgainstModel.TestCase.settings = settings(
        max_examples=times(10, 125),
        stateful_step_count=40,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    RoomAgainstModel.TestCase().runTest()
