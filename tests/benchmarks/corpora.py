"""Where the labelled public questions and the embedder are found, and a room to ask them in."""

import json
import os
import sys
import tempfile
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from adapters.base_models.embedded import E5_SMALL
from adapters.base_models.folder import RECORD_FILE
from knowledge import (
    ChromaIndex,
    Knowledge,
    KnowledgeConfig,
    NewDocument,
    Retrieval,
    RetrieverName,
    SentenceTransformerEmbedder,
    Turn,
    metadata,
)
from service.stores.database import create_tables, open_database
from tests.fakes.tenant import TENANT

DATA = Path("../shared/data")
Row = dict[str, Any]
Asker = Callable[[Row], Retrieval]
CANDIDATE_PASSAGES = 25  # enough chunks for five distinct rows


def read_rows(path: Path) -> list[Row]:
    """Return the rows of a JSON Lines file."""
    return [json.loads(line) for line in path.open(encoding="utf-8")]


def find_embedder(given: str | None) -> str | None:
    """Return what was given, or the prepared embedder's folder, or None where there is none.

    Where both embedded ones are prepared, the one that reads more languages is taken.
    """
    if given:
        return given
    home = Path(os.environ.get("FINGERPOST_HOME", ".fingerpost"))
    found = sorted(home.glob(f"models/{E5_SMALL.id}/modules.json"))
    found += sorted(home.glob("models/**/modules.json"))
    return str(found[0].parent) if found else None


def load_embedder(
    embedder_at: str, languages: Sequence[str] | None = None
) -> SentenceTransformerEmbedder:
    """Load an embedder and say on stderr which; its languages are those of its `model.json`."""
    record = Path(embedder_at) / RECORD_FILE
    read = json.loads(record.read_text())["languages"] if record.is_file() else ["en"]
    note(f"embedder: {embedder_at}, reads {', '.join(languages or read)}")
    return SentenceTransformerEmbedder.load(embedder_at, languages=languages or read)


@contextmanager
def opened(
    embedder: SentenceTransformerEmbedder, config: KnowledgeConfig, chroma: str | None = None
) -> Iterator[Knowledge]:
    """Yield a room in a temporary folder; Chroma in process, or at `chroma` (host:port)."""
    with tempfile.TemporaryDirectory() as name:
        engine = open_database(f"sqlite:///{name}/state.db")
        create_tables(engine, metadata)
        if chroma:
            host, port = chroma.rsplit(":", 1)
            index = ChromaIndex.connect(host, int(port))
        else:
            index = ChromaIndex.open(Path(name) / "chroma")
        try:
            yield Knowledge(engine, index, embedder, config)
        finally:
            index.close()
            engine.dispose()


def take_in(
    knowledge: Knowledge,
    name: str,
    rows: Sequence[Row],
    label: Callable[[str], str] | None = None,
) -> None:
    """Make the base `name` of `rows`, one Markdown document each, with notes on stderr.

    `label` gives each document's access label by its id.
    """
    knowledge.create_base(name, base_id=name, tenant=TENANT)
    sources = [
        NewDocument(
            row["id"],
            f"{row['id']}.md",
            f"# {row['title']}\n\n{row['text']}".encode(),
            access=None if label is None else frozenset({label(row["id"])}),
        )
        for row in rows
    ]
    knowledge.ingest_many(
        name, sources, progress=lambda done, total: note(f"{name}: {done}/{total}"), tenant=TENANT
    )


def asker(
    knowledge: Knowledge, name: str, *retrievers: RetrieverName, access: Collection[str] = ()
) -> Asker:
    """Return what asks a row's question, with its history, of the base `name`."""

    def ask(row: Row) -> Retrieval:
        return knowledge.retrieve(
            row["question"],
            base_ids=[name],
            history=[Turn(turn["role"], turn["content"]) for turn in row.get("history", ())],
            top_k=CANDIDATE_PASSAGES,
            retrievers=retrievers or ("dense", "lexical"),
            access=access,
            tenant=TENANT,
        )

    return ask


def note(line: str) -> None:
    """Say on stderr how far it is."""
    sys.stderr.write(line + "\n")
