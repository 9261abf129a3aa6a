"""Rules for every test: nothing but loopback is reached, the slow ones have more time.

It also lays out the run: with several processes (`-n 3 --dist loadfile`) the tests of a file stay
in one of them, so that fixtures are shared and there is one engine.
"""

import socket
from collections import defaultdict
from collections.abc import Iterator
from operator import itemgetter
from typing import Any

import hypothesis
import pytest

from tests.repetition import is_long, run_long

SLOW_TIMEOUT_S = 300
LONG_TIMEOUT_S = 3600
SLOWEST_FILES = 10
LOOPBACK = ("127.", "::1", "localhost", "0.0.0.0")

file_seconds: defaultdict[str, float] = defaultdict(float)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--long`."""
    parser.addoption(
        "--long",
        action="store_true",
        help="run repetitions (kills, fuzzing, random operations) in their whole length",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Take `--long` before the modules are imported; no example has a time limit of its own."""
    hypothesis.settings.register_profile("tests", deadline=None)
    hypothesis.settings.load_profile("tests")
    if config.getoption("--long"):
        run_long()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give slow tests their time, and put the tests in order."""
    for item in items:
        if is_long():
            item.add_marker(pytest.mark.timeout(LONG_TIMEOUT_S, func_only=True), append=False)
        elif _is_slow(item) and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(SLOW_TIMEOUT_S, func_only=True))
    items.sort(key=_stage)


def _is_slow(item: pytest.Item) -> bool:
    return any(item.get_closest_marker(name) for name in ("training", "engine"))


def _stage(item: pytest.Item) -> int:
    """Return when the test runs: what takes long begins first, the whole road is last.

    The other tests on the engine follow the trainings: at the end they would wait for the road's.
    """
    if item.get_closest_marker("engine"):
        return 3 if item.path.stem == "test_whole_road" else 1
    return 0 if _is_slow(item) or item.get_closest_marker("timeout") else 2


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Add up the time of each file; under `-n` the reports of all processes arrive here."""
    file_seconds[report.nodeid.partition("::")[0]] += report.duration


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the files that took longest."""
    if len(file_seconds) < 2:
        return
    terminalreporter.section(f"slowest {SLOWEST_FILES} files")
    slowest = sorted(file_seconds.items(), key=itemgetter(1), reverse=True)[:SLOWEST_FILES]
    for file, seconds in slowest:
        terminalreporter.line(f"{seconds:8.1f} s  {file}")


@pytest.fixture(autouse=True, scope="session")
def loopback_only() -> Iterator[None]:
    """Refuse connections to any other machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        host = address[0] if isinstance(address, tuple) else ""
        if isinstance(host, str) and host and not host.startswith(LOOPBACK):
            raise AssertionError(f"a test tried to reach {address}")
        connect(self, address)

    patch = pytest.MonkeyPatch()
    patch.setattr(socket.socket, "connect", guarded)
    yield
    patch.undo()


@pytest.fixture
def anyio_backend() -> str:
    """Async tests run on asyncio, as the gateway does."""
    return "asyncio"
