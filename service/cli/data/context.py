"""`fingerpost data context`: training rows with passages, from questions and a knowledge base.

The passages come from a knowledge base of a running gateway, or from a corpus that is ingested
into a temporary one with the embedder and the configuration of this home. It knows files and
options; the rows are made in `adapters`, with the prompts of `service/chat/prompts.py`.
"""

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from adapters import (
    ContextCounts,
    ContextMix,
    ContextQuestion,
    ContextRows,
    count_context,
    hold_out,
    load_rows,
)
from service.api.schemas.shapes import JsonObject
from service.cli.client import Gateway, segment
from service.cli.data.questions import as_row, read_context_questions, require_known
from service.cli.kb.bases import STORES
from service.cli.kb.evaluation.corpus import BASE, TENANT, load_embedder, temporary_base
from service.cli.kb.evaluation.files import read_corpus
from service.cli.output import (
    CommandFailed,
    JsonOption,
    Output,
    ProgressBar,
    UrlOption,
    command_output,
)
from service.cli.replies import AnyReply, DocumentReply, SearchReply
from service.fine_tuning.context_rows import FOUND, Find, FoundPassage, make_rows
from service.settings import load_settings
from service.stores.use_cases import UseCase

MAX_TOKENS = 100_000  # passages are only read here, so the token budget must not cut any


class Distractors(StrEnum):
    """What `--distractors` may name."""

    NEAR = "near"
    FAR = "far"
    MIXED = "mixed"


def context(
    questions: Annotated[
        Path,
        typer.Option(
            "--questions", help="Questions as JSON Lines: question, answers and optional gold_ids."
        ),
    ],
    out: Annotated[Path, typer.Option("--out", help="File to write the rows to.")],
    knowledge_base: Annotated[
        str | None,
        typer.Option("--knowledge-base", "--kb", help="Knowledge base to take passages from."),
    ] = None,
    corpus: Annotated[
        Path | None,
        typer.Option(
            "--corpus", help="Or documents to take them from, as JSON Lines: id, title, text."
        ),
    ] = None,
    refusals: Annotated[
        float,
        typer.Option("--refusals", help="Share of rows whose passages lack the answer, 0 to 0.5."),
    ] = 0.5,
    passages: Annotated[
        int,
        typer.Option(
            "--passages", help="Maximum number of passages in a row; each row has 1 to this many."
        ),
    ] = 3,
    distractors: Annotated[
        Distractors,
        typer.Option(
            help="Distractors retrieved for the question (near), for others (far), or half of each."
        ),
    ] = Distractors.MIXED,
    passage_words: Annotated[
        int, typer.Option(help="Words to keep of each passage, around the answer; 0 keeps all.")
    ] = 0,
    ask_for_markers: Annotated[
        bool,
        typer.Option(help="Ask for citations in the prompts, as in requests that require them."),
    ] = False,
    held_out: Annotated[
        float,
        typer.Option(
            "--hold-out",
            min=0,
            help="Questions to hold out, as a share or a number, split by source.",
        ),
    ] = 0.0,
    seed: Annotated[int, typer.Option(help="Random seed.")] = 0,
    use_case: Annotated[
        str | None,
        typer.Option(
            "--use-case",
            "-u",
            help="Use case whose role, instructions and refusal the prompts use.",
        ),
    ] = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Create rows that train a model to answer from passages and to refuse without the answer.

    Held-out questions are written next to OUT as OUT.held-out.jsonl, in the input format.
    """
    with command_output(as_json) as output:
        mix = ContextMix(
            passages=passages,
            refusals=refusals,
            distractors=distractors.value,
            passage_words=passage_words,
            seed=seed,
        )
        if (knowledge_base is None) == (corpus is None):
            raise CommandFailed("Use either --knowledge-base or --corpus.", code="usage")
        asked = read_context_questions(questions)
        used, held = hold_out(asked, held_out, seed=seed)
        case = UseCase(id="none") if use_case is None else _use_case(use_case, url)
        with _finder(knowledge_base, corpus, asked, url=url, output=output) as find:
            with output.progress("finding passages") as bar:
                made = make_rows(
                    used,
                    _with_progress(find, len(used), bar),
                    use_case=case,
                    ask_for_markers=ask_for_markers,
                    mix=mix,
                )
        written: JsonObject = {"out": str(out)}
        write_rows(out, made.rows)
        if held:
            beside = _held_out_file(out)
            write_rows(beside, [as_row(question) for question in held])
            written["held_out"] = str(beside)
        counts = count_context(load_rows([out]))  # as training will read them
        figures: JsonObject = {
            "questions": len(asked),
            "held_out_questions": len(held),
            **counts.as_dict(),
            "context_trained": counts.is_context_trained,
            "left_out": {**made.left_out},
            **written,
        }
        output.result(figures, "\n".join(_lines(counts, made, held, out)))


def write_rows(file: Path, rows: Iterable[Mapping[str, object]]) -> None:
    """Write JSON Lines, the whole file or nothing.

    Raises:
        CommandFailed: The file cannot be written.
    """
    draft = file.with_name(f".{file.name}.new")
    try:
        with draft.open("w", encoding="utf-8") as lines:
            lines.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        os.replace(draft, file)
    except OSError as exc:
        raise CommandFailed(f"{file}: {exc}", code="invalid_file") from exc


@contextmanager
def _finder(
    base: str | None,
    corpus: Path | None,
    questions: Sequence[ContextQuestion],
    *,
    url: str | None,
    output: Output,
) -> Iterator[Find]:
    """Yield a function that finds passages, in a temporary knowledge base or in the gateway's."""
    if corpus is None:
        with closing(Gateway.find(url)) as gateway:
            store = f"{STORES}/{segment(base or '')}"
            rows = gateway.pages(f"{store}/documents", DocumentReply)
            there = {row.reply.external_id for row in rows}
            require_known(questions, there, base or "")
            yield lambda question: _search(gateway, store, question)
        return
    documents = read_corpus(corpus)
    require_known(questions, {row.row_id for row in documents}, str(corpus))
    settings = load_settings()
    embedder = load_embedder(settings)
    with temporary_base(documents, embedder, settings.knowledge, output) as (knowledge, _):

        def find(question: str) -> list[FoundPassage]:
            found = knowledge.retrieve(
                question, base_ids=[BASE], tenant=TENANT, top_k=FOUND, max_tokens=MAX_TOKENS
            )
            return [FoundPassage(p.external_id, p.source, p.text) for p in found.passages]

        yield find


def _search(gateway: Gateway, store: str, question: str) -> list[FoundPassage]:
    body: JsonObject = {"query": question, "max_num_results": FOUND, "max_tokens": MAX_TOKENS}
    found = gateway.post(f"{store}/search", SearchReply, body=body).reply.data
    return [FoundPassage(p.external_id, p.source or p.filename, p.text) for p in found]


def _with_progress(find: Find, count: int, bar: ProgressBar) -> Find:
    done = 0

    def find_and_show(question: str) -> Sequence[FoundPassage]:
        nonlocal done
        done += 1
        bar.show(done / count, f"{done} of {count} questions")
        return find(question)

    return find_and_show


def _use_case(name: str, url: str | None) -> UseCase:
    with closing(Gateway.find(url)) as gateway:
        body = gateway.get(f"/use_cases/{segment(name)}", AnyReply).body
    return UseCase.model_validate({k: v for k, v in body.items() if k in UseCase.model_fields})


def _lines(
    counts: ContextCounts, made: ContextRows, held: Sequence[ContextQuestion], out: Path
) -> Iterator[str]:
    yield f"{counts.rows} rows, {counts.refusals} of them refusals: {out}"
    if held:
        yield f"{len(held)} questions held out: {_held_out_file(out)}"
    for why, count in made.left_out.items():
        yield f"{count} questions left out: {why}"
    if counts.answer_share is not None:
        yield f"{counts.answer_share:.0%} of the answers are in their passages"
    if not counts.is_context_trained:
        yield "too few rows for an adapter to count as context-trained"


def _held_out_file(out: Path) -> Path:
    return out.with_name(f"{out.name}.held-out.jsonl")
