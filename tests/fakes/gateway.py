"""A gateway with its worker in a process of its own: what it keeps, writes and takes is its own.

`python -m tests.fakes.gateway HOME` runs on small rooms and a fake engine, prints its address as
its first line and ends with its stdin.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from service.app import create_app
from service.context import AppContext
from service.home import Ports
from service.settings import JobSettings, ServerSettings, Settings
from service.worker.lanes import build_worker
from tests.fakes.context import open_small_context
from tests.fakes.engine import FakeEngine, Served

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class OwnGateway:
    """A running gateway as other processes see it."""

    url: str
    pid: int

    @property
    def memory_mb(self) -> float:
        """Resident memory that the process holds now."""
        return self._status_mb("VmRSS")

    @property
    def most_memory_mb(self) -> float:
        """The most that it has held at any moment."""
        return self._status_mb("VmHWM")

    def _status_mb(self, key: str) -> float:
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        fields = dict(line.split(":", 1) for line in lines)
        return int(fields[key].split()[0]) * 1024 / 1e6


@contextmanager
def own_gateway(home: Path, *, cwd: Path, scratch: Path) -> Iterator[OwnGateway]:
    """Run a gateway on `home` whose working folder and folder for temporary files are these."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "TMPDIR": str(scratch),
        "MALLOC_MMAP_THRESHOLD_": "65536",  # glibc gives freed memory back, and does not hoard it
    }
    with subprocess.Popen(
        [sys.executable, "-m", "tests.fakes.gateway", str(home)],
        cwd=cwd,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            yield OwnGateway(process.stdout.readline().strip(), process.pid)
        finally:
            process.communicate()


def main(home: Path) -> None:
    server = ServerSettings(put_wait_s=10)  # a busy machine answers as a quiet one does
    settings = Settings(home=home, server=server, jobs=JobSettings(poll_s=0.02))
    settings.paths.make()
    opened: list[AppContext] = []

    def opening(settings: Settings, ports: Ports) -> AppContext:
        opened.append(open_small_context(settings, ports))
        return opened[0]

    with Served(FakeEngine().app()) as engine:
        ports = Ports(gateway=1, engine=engine.port, chroma=1)
        with Served(create_app(settings, ports, opening)) as gateway:
            reached = Ports(gateway.port, engine.port, 1)
            worker = build_worker(replace(opened[0], ports=reached))
            working = threading.Thread(target=worker.run)
            working.start()
            sys.stdout.write(f"{gateway.url}\n")
            sys.stdout.flush()
            sys.stdin.read()
            worker.stop()
            working.join()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
