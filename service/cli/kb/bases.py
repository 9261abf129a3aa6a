"""`fingerpost kb create|update|ls|rm|show|search|reconcile`; others have their own files."""

from collections.abc import Sequence
from contextlib import closing
from typing import Annotated

import typer
from rich.console import Console

from knowledge import MOST_KEPT, Ocr
from service.api.schemas.shapes import JsonObject
from service.cli.client import Gateway, Received, bodies, segment, wait_for_job
from service.cli.output import CommandFailed, JsonOption, UrlOption, command_output
from service.cli.replies import AcceptedReply, AnyReply, DocumentReply, IdReply, SearchReply, T

app = typer.Typer(help="Knowledge bases and their documents.", no_args_is_help=True)

BaseArgument = Annotated[str, typer.Argument(metavar="BASE", help="Id of the knowledge base.")]
KeepOption = Annotated[
    int | None,
    typer.Option(
        "--keep-versions",
        metavar="N",
        min=0,
        max=MOST_KEPT,
        help="Number of replaced contents of each document whose text is kept.",
    ),
]
OcrOption = Annotated[
    Ocr | None,
    typer.Option(
        help="Text recognition in PDFs and pictures: auto (pages without text; the default), "
        "always or never."
    ),
]
STORES = "/v1/vector_stores"


@app.command("create")
def create(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Display name; also the id unless --id is given.")
    ],
    base_id: Annotated[
        str | None, typer.Option("--id", help="Id used in commands and URLs.")
    ] = None,
    *,
    chunking: Annotated[
        str | None,
        typer.Option(
            metavar="STRATEGY[:TOKENS]",
            help="How documents are chunked: markdown, recursive, sentence, fixed or parent_child.",
        ),
    ] = None,
    keep_versions: KeepOption = None,
    ocr: OcrOption = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Create an empty knowledge base."""
    with command_output(as_json) as output, closing(Gateway.find(url)) as gateway:
        body: JsonObject = {"name": name, "id": base_id or name}
        body |= _settings(keep_versions, ocr)
        if chunking is not None:
            body["chunking"] = _chunking(chunking)
        made = gateway.post(STORES, IdReply, body=body)
        output.result(made.body, f"created knowledge base {made.reply.id}")


@app.command("update")
def update(
    base: BaseArgument,
    *,
    keep_versions: KeepOption = None,
    ocr: OcrOption = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Change the settings of a knowledge base.

    If fewer versions are kept than before, the texts of the others are deleted at once. Documents
    sent from now on are read by the new settings; `kb sync` sends PDFs and pictures again that were
    read by another --ocr.
    """
    with command_output(as_json) as output, closing(Gateway.find(url)) as gateway:
        settings = _settings(keep_versions, ocr)
        if not settings:
            raise CommandFailed("Name a setting to change, e.g. --ocr never.", code="usage")
        changed = gateway.post(f"{STORES}/{segment(base)}", IdReply, body=settings)
        told = ", ".join(f"{name} {value}" for name, value in settings.items())
        output.result(changed.body, f"updated knowledge base {changed.reply.id}: {told}")


def _settings(keep_versions: int | None, ocr: Ocr | None) -> JsonObject:
    """Return the settings that were named."""
    named: JsonObject = {"keep_versions": keep_versions, "ocr": ocr}
    return {name: value for name, value in named.items() if value is not None}


@app.command("ls")
def list_all(url: UrlOption = None, as_json: JsonOption = False) -> None:
    """List the knowledge bases."""
    with command_output(as_json) as output, closing(Gateway.find(url)) as gateway:
        rows = gateway.pages(STORES, IdReply)
        human = "\n".join(f"{row.reply.id}  {row.reply.name}".rstrip() for row in rows)
        output.result(list_document(rows), human or "no knowledge bases yet")


@app.command("rm")
def remove(
    base: BaseArgument,
    document: Annotated[
        str | None, typer.Argument(metavar="DOCUMENT", help="Id of the document.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Delete the whole knowledge base with all its documents.")
    ] = False,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Delete one document, or with --all the whole knowledge base."""
    with command_output(as_json) as output, closing(Gateway.find(url)) as gateway:
        if (document is None) != everything:
            raise CommandFailed(
                "Name a document, or use --all to delete the whole knowledge base.", code="usage"
            )
        path = f"{STORES}/{segment(base)}"
        if document is not None:
            path += f"/documents/{segment(document)}"
        done = gateway.call("DELETE", path, AcceptedReply)
        body = done.body or {"deleted": True}
        if job := done.reply.job:
            body = wait_for_job(gateway, output, job.id, "deleting").result or {}
        output.result(body, f"deleted {document or base}")


@app.command("show")
def show(
    base: BaseArgument,
    document: Annotated[
        str | None, typer.Argument(metavar="DOCUMENT", help="Id of the document.")
    ] = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show a knowledge base with its documents, or one document."""
    with command_output(as_json) as output, closing(Gateway.find(url)) as gateway:
        path = f"{STORES}/{segment(base)}"
        if document is not None:
            found = gateway.get(f"{path}/documents/{segment(document)}", DocumentReply)
            output.result(found.body, lambda out: _print_document(out, found))
            return
        base_body = gateway.get(path, AnyReply).body
        rows = gateway.pages(f"{path}/documents", DocumentReply)
        body: JsonObject = {**base_body, "documents": list(bodies(rows))}
        output.result(body, lambda out: _print_base(out, base_body, [row.reply for row in rows]))


@app.command("search")
def search(
    base: BaseArgument,
    question: Annotated[str, typer.Argument(metavar="QUESTION", help="The question, in quotes.")],
    top_k: Annotated[
        int | None,
        typer.Option(
            "--top-k",
            min=1,
            max=50,
            help="Maximum number of passages (default: `knowledge.top_k` of the gateway).",
        ),
    ] = None,
    max_tokens: Annotated[
        int | None,
        typer.Option(min=1, help="Maximum total tokens of the passages, best first."),
    ] = None,
    access: Annotated[
        list[str] | None,
        typer.Option(metavar="LABEL", help="Access label of the reader; may be repeated."),
    ] = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the passages that match a question best, without generating an answer."""
    with command_output(as_json) as output, closing(Gateway.find(url)) as gateway:
        body: JsonObject = {
            "query": question,
            "max_num_results": top_k,
            "access_labels": list(access or ()),
            "max_tokens": max_tokens,
        }
        found = gateway.post(f"{STORES}/{segment(base)}/search", SearchReply, body=body)
        output.result(found.body, lambda out: _print_passages(out, found.reply))


@app.command("reconcile")
def reconcile(base: BaseArgument, url: UrlOption = None, as_json: JsonOption = False) -> None:
    """Repair the vector index: remove orphaned vectors and add missing ones."""
    with command_output(as_json) as output, closing(Gateway.find(url)) as gateway:
        done = gateway.post(f"{STORES}/{segment(base)}/reconcile", AcceptedReply)
        body = done.body
        if job := done.reply.job:
            body = wait_for_job(gateway, output, job.id, "reconciling").result or {}
        output.result(body, lambda out: _print_fields(out, body))


def _chunking(text: str) -> JsonObject:
    """Return the body of STRATEGY[:TOKENS]; a fifth of the tokens overlaps, as in the default."""
    strategy, _, tokens = text.partition(":")
    if not tokens:
        return {"strategy": strategy}
    if not tokens.isdecimal():
        message = f"--chunking {text!r}: write STRATEGY or STRATEGY:TOKENS, e.g. sentence:200."
        raise CommandFailed(message, code="usage")
    size = int(tokens)
    return {
        "strategy": strategy,
        "chunk_tokens": size,
        "overlap_tokens": size // 5,
        "parent_tokens": max(480, 4 * size),
    }


def list_document(rows: Sequence[Received[T]]) -> JsonObject:
    """Return rows of all pages as one list."""
    return {"object": "list", "data": list(bodies(rows)), "has_more": False}


def _print_document(out: Console, found: Received[DocumentReply]) -> None:
    _print_fields(out, {k: v for k, v in found.body.items() if k != "left_out"})
    for part in found.reply.left_out:
        out.print(f"not read: {part}", markup=False)


def _print_base(out: Console, body: JsonObject, documents: Sequence[DocumentReply]) -> None:
    measured = body.get("measured")
    _print_fields(out, {k: v for k, v in body.items() if k != "measured"})
    _print_fields(out, measured if isinstance(measured, dict) else {})
    for row in documents:
        version = "" if row.version is None else f"version {row.version}"
        labels = f"  ({', '.join(row.access_labels)})" if row.access_labels else ""
        out.print(f"  {row.name}  {version}".rstrip() + labels, markup=False)


def _print_passages(out: Console, found: SearchReply) -> None:
    for row in found.data:
        text = row.text or " ".join(part.text for part in row.content)
        out.print(f"{row.score:.4f}  {row.source or row.external_id}", style="bold", markup=False)
        out.print(f"  {' '.join(text.split())[:300]}", markup=False)
    if cut := found.passages_over_budget:
        out.print(f"passages left out by the token budget: {cut}", markup=False)
    if found.degraded:
        out.print("degraded: vector index unavailable, lexical search only", markup=False)
    if not found.data:
        out.print("no passages found", markup=False)


def _print_fields(out: Console, body: JsonObject) -> None:
    for key, value in body.items():
        out.print(f"{key}: {value}", markup=False)
