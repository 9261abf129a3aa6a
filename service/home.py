"""The folder of all state of one Fingerpost: `$FINGERPOST_HOME`.

It knows paths and the ports in use; it does not know what the files contain.
"""

import json
import os
import socket
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Ports:
    """Loopback ports of one running home, stored in `run/ports.json`."""

    gateway: int
    engine: int
    chroma: int


@dataclass(frozen=True, slots=True)
class Home:
    """Paths below one home folder."""

    root: Path

    @property
    def config_file(self) -> Path:
        """The optional `fingerpost.toml`."""
        return self.root / "fingerpost.toml"

    @property
    def database(self) -> Path:
        """The SQLite file used unless `state.url` names another database."""
        return self.root / "state.db"

    @property
    def kind_classifier_file(self) -> Path:
        """The kind classifier fitted for this home's embedder; else one that ships is used."""
        return self.root / "kind_classifier.json"

    @property
    def classifier_file(self) -> Path:
        """The question classifier fitted for this home; without it the default one is used."""
        return self.root / "classifier.json"

    @property
    def chroma(self) -> Path:
        """Chroma's folder; the index can be rebuilt from the database."""
        return self.root / "chroma"

    @property
    def models(self) -> Path:
        """Prepared base model and embedder."""
        return self.root / "models"

    @property
    def models_file(self) -> Path:
        """Which of the embedded models this home uses."""
        return self.root / "models.json"

    @property
    def adapters(self) -> Path:
        """Adapter folders, one per immutable adapter id."""
        return self.root / "adapters"

    @property
    def trainings(self) -> Path:
        """Journals and checkpoints, one folder per training run."""
        return self.root / "trainings"

    @property
    def logs(self) -> Path:
        """One log file per process."""
        return self.root / "logs"

    @property
    def run(self) -> Path:
        """Ports, process ids and sockets of the running processes."""
        return self.root / "run"

    @property
    def ports_file(self) -> Path:
        """Where the ports in use are stored."""
        return self.run / "ports.json"

    def make(self) -> None:
        """Create every folder that is missing."""
        for folder in (self.chroma, self.models, self.adapters, self.logs, self.run):
            folder.mkdir(parents=True, exist_ok=True)

    def read_ports(self) -> Ports | None:
        """Return the ports last written, or None if nothing has run yet."""
        try:
            return Ports(**json.loads(self.ports_file.read_text()))
        except (FileNotFoundError, ValueError, TypeError):
            return None

    def write_ports(self, ports: Ports) -> None:
        """Store `ports` for the processes of this home and for the command line."""
        draft = self.ports_file.with_suffix(".new")
        draft.write_text(json.dumps(asdict(ports)))
        os.replace(draft, self.ports_file)


def free_port() -> int:
    """Return a free loopback TCP port."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def gateway_url(host: str, port: int) -> str:
    """Return the base address of a gateway, as programs on its own machine reach it."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
