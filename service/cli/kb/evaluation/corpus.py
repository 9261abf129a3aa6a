"""A corpus in a temporary knowledge base, ingested like any other documents.

It knows rows, the embedder and a temporary folder; it does not know what is measured on them.
"""

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from knowledge import (
    ChromaIndex,
    Embedder,
    Knowledge,
    KnowledgeConfig,
    NewDocument,
    SentenceTransformerEmbedder,
    metadata,
)
from service.cli.kb.evaluation.files import CorpusRow
from service.cli.output import Output
from service.settings import Settings
from service.stores.database import create_tables, open_database

BASE = "evaluation"
TENANT = "evaluation"  # of the temporary knowledge base, which nobody else sees


def load_embedder(settings: Settings) -> Embedder:
    """Load the embedder of this home."""
    return SentenceTransformerEmbedder.configured(settings.embedder_path, settings.knowledge)


@contextmanager
def temporary_base(
    rows: Sequence[CorpusRow], embedder: Embedder, config: KnowledgeConfig, output: Output
) -> Iterator[tuple[Knowledge, float]]:
    """Yield a temporary knowledge base with every row in it, and the seconds it took."""
    with tempfile.TemporaryDirectory(prefix="fingerpost-eval-") as folder:
        database = open_database(f"sqlite:///{folder}/state.db")
        index = ChromaIndex.open(Path(folder) / "chroma")
        try:
            create_tables(database, metadata)
            knowledge = Knowledge(database, index, embedder, config)
            knowledge.create_base(BASE, base_id=BASE, tenant=TENANT)
            began = time.perf_counter()
            with output.progress("ingesting the corpus") as bar:
                knowledge.ingest_many(
                    BASE,
                    [_document(row) for row in rows],
                    tenant=TENANT,
                    progress=lambda done, total: bar.show(done / total, f"{done} documents"),
                )
            yield knowledge, time.perf_counter() - began
        finally:
            index.close()
            database.dispose()


def _document(row: CorpusRow) -> NewDocument:
    head = f"# {row.title}\n\n" if row.title else ""
    return NewDocument(row.row_id, f"{row.row_id}.md", f"{head}{row.text}".encode())
