"""`fingerpost kb eval`: retrieval measured on labelled questions, and the threshold they need.

It works without a running service: the corpus is ingested into a knowledge base in a temporary
folder, with the embedder and the configuration of this home.
"""

from pathlib import Path
from typing import Annotated

import typer

from service.api.schemas.shapes import JsonObject
from service.cli.kb.evaluation.corpus import BASE, TENANT, load_embedder, temporary_base
from service.cli.kb.evaluation.files import read_corpus, read_questions
from service.cli.kb.evaluation.measuring import Retriever, measure
from service.cli.kb.evaluation.table import print_figures
from service.cli.output import JsonOption, command_output
from service.settings import load_settings


def evaluate(
    corpus: Annotated[
        Path, typer.Option("--corpus", help="Documents as JSON Lines: id, title, text.")
    ],
    queries: Annotated[
        Path, typer.Option("--queries", help="Questions as JSON Lines: question, gold_ids.")
    ],
    unanswerable: Annotated[
        Path | None,
        typer.Option("--unanswerable", help="Questions that the corpus cannot answer."),
    ] = None,
    retriever: Annotated[
        Retriever | None,
        typer.Option("--retriever", help="Measure one retriever only (default: all three)."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Measure retrieval on labelled questions and fit the relevance threshold `min_relevance`."""
    with command_output(as_json) as output:
        documents = read_corpus(corpus)
        answerable = read_questions(queries, {row.row_id for row in documents})
        others = read_questions(unanswerable, None) if unanswerable else []
        settings = load_settings()
        embedder = load_embedder(settings)
        with temporary_base(documents, embedder, settings.knowledge, output) as (knowledge, took_s):
            figures = measure(knowledge, answerable, others, only=retriever, output=output)
            size = knowledge.get_base(BASE, tenant=TENANT)
        document: JsonObject = {
            **figures.as_document(),
            "documents": size.documents,
            "chunks": size.chunks,
            "ingest_s": took_s,
            "embedder": f"{embedder.model_id}@{embedder.revision}",
        }
        output.result(document, lambda out: print_figures(out, figures, size.chunks))
