"""The service's rooms made small: real SQL, real embedded Chroma, an embedder of words."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Engine

from adapters import ModelFolder
from adapters.files.weights import digest_adapter
from knowledge import ChromaIndex, Knowledge
from service.context import AppContext, build_context
from service.home import Ports
from service.settings import Settings
from service.stores.database import open_database
from service.stores.migrations import upgrade
from tests.fakes.adapter_folders import write_adapter
from tests.fakes.embedder import FakeEmbedder
from tests.fakes.engine import BASE

PROBE = (3, 1, 4, 1, 5, 9, 2, 6)


def open_small_context(settings: Settings, ports: Ports) -> AppContext:
    """Open a context as `service.context.open_context` does, without models and servers."""
    database = open_migrated(settings.database_url)
    index = ChromaIndex.open(settings.paths.chroma)
    config = settings.knowledge
    knowledge = Knowledge(
        database,
        index,
        _embedder(config.embedder),
        config,
        next_embedder=_embedder(config.next_embedder) if config.next_embedder else None,
    )
    return build_context(settings, ports, database, knowledge)


def open_migrated(url: str) -> Engine:
    """Open a database with every table; a new SQLite file is a copy of one that was migrated."""
    path = Path(url.removeprefix("sqlite:///"))
    is_new = url.startswith("sqlite:///") and not path.exists()
    if is_new:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_migrated_file())
    database = open_database(url)
    if not is_new:
        upgrade(database)
    return database


@cache
def _migrated_file() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "state.db"
        database = open_database(f"sqlite:///{path}")
        upgrade(database)
        database.dispose()
        return path.read_bytes()


def _embedder(name: str | None) -> FakeEmbedder:
    """Return the embedder of a name; one that is configured makes shorter vectors."""
    return FakeEmbedder() if name is None else FakeEmbedder(model_id=name, dimension=32)


@dataclass(frozen=True)
class FakeAdapters:
    """Writes whole adapter folders whose effect reference fits the fake engine."""

    directory: Path

    def write(self, task: str = "helpdesk", *, seed: int = 0, context_trained: bool = True) -> Path:
        making = self.directory / "making"
        making.mkdir(parents=True)
        base = ModelFolder(
            BASE, "r1", self.directory, "Apache-2.0", "tests", ("en",), None, "0" * 64
        )
        write_adapter(making, base, seed=seed, settings={})
        reference = [-2.0 - (token % 7) / 10 for token in PROBE[1:]]
        run = {
            "base": {"id": BASE, "revision": "r1"},
            "context_trained": context_trained,
            "effect_reference": [
                {
                    "token_ids": PROBE,
                    "base": reference,
                    "adapter": [value - 1.0 for value in reference],
                }
            ],
        }
        (making / "run.json").write_text(json.dumps(run))
        folder = self.directory / f"{task}@{digest_adapter(making)[:8]}"
        making.rename(folder)
        return folder
