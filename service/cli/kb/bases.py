"""`fingerpost kb create|ls|add|rm|show|search|reconcile`; the others have files of their own."""

import json
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from service.cli.client import Gateway, segment, wait_for_job
from service.cli.output import CommandFailed, JsonOption, Report, UrlOption, problem, reporting

app = typer.Typer(help="Knowledge bases and their documents.", no_args_is_help=True)

BaseArgument = Annotated[str, typer.Argument(metavar="BASE", help="Id of the knowledge base.")]
_STORES = "/v1/vector_stores"


@app.command("create")
def create(
    name: Annotated[str, typer.Argument(help="Name for people; also the id unless --id is given.")],
    base_id: Annotated[str | None, typer.Option("--id", help="Id for addresses.")] = None,
    chunking: Annotated[
        str | None,
        typer.Option(
            metavar="STRATEGY[:TOKENS]",
            help="How to cut: markdown, recursive, sentence, fixed or parent_child.",
        ),
    ] = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Create an empty knowledge base."""
    with reporting(as_json) as report, closing(Gateway.find(url)) as gateway:
        body: dict[str, Any] = {"name": name, "id": base_id or name}
        if chunking is not None:
            body["chunking"] = _chunking(chunking)
        made = gateway.post(_STORES, json=body)
        report.result(made, f"knowledge base {made['id']} is there")


@app.command("ls")
def list_all(url: UrlOption = None, as_json: JsonOption = False) -> None:
    """List the knowledge bases."""
    with reporting(as_json) as report, closing(Gateway.find(url)) as gateway:
        rows = gateway.pages(_STORES)
        human = "\n".join(f"{row['id']}  {row.get('name', '')}".rstrip() for row in rows)
        report.result({"object": "list", "data": rows, "has_more": False}, human or "none yet")


@app.command("add")
def add(
    base: BaseArgument,
    files: Annotated[list[Path], typer.Argument(help="Files or folders.", exists=True)],
    external_id: Annotated[
        str | None, typer.Option("--as", help="Id of the document; for one file only.")
    ] = None,
    access: Annotated[
        list[str] | None,
        typer.Option(
            metavar="LABEL",
            help="Who may read them; repeat it. '' takes the labels off. Default: as they are.",
        ),
    ] = None,
    password: Annotated[
        str | None, typer.Option(help="Password of a locked PDF; it is not kept.")
    ] = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add or replace documents; below a folder the relative path is the document's id."""
    with reporting(as_json) as report, closing(Gateway.find(url)) as gateway:
        named = named_files(files)
        if external_id is not None:
            if len(named) != 1:
                raise CommandFailed(problem("--as names one file only.", code="usage"))
            named = {external_id: next(iter(named.values()))}
        documents = add_documents(gateway, report, base, named, access=access, password=password)
        report.result(
            {"object": "list", "data": documents, "has_more": False},
            f"{len(documents)} documents are searchable in {base}",
        )


@app.command("rm")
def remove(
    base: BaseArgument,
    document: Annotated[str | None, typer.Argument(help="Id of one document.")] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Delete the whole knowledge base.")
    ] = False,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Delete one document, or with --all the whole knowledge base."""
    with reporting(as_json) as report, closing(Gateway.find(url)) as gateway:
        if (document is None) != everything:
            raise CommandFailed(
                problem("Name a document, or say --all for the whole base.", code="usage")
            )
        path = f"{_STORES}/{segment(base)}"
        if document is not None:
            path += f"/documents/{segment(document)}"
        body = gateway.call("DELETE", path) or {"deleted": True}
        if job := body.get("job"):
            body = wait_for_job(gateway, report, job["id"], "deleting").get("result") or {}
        report.result(body, f"deleted {document or base}")


@app.command("show")
def show(
    base: BaseArgument,
    document: Annotated[str | None, typer.Argument(help="Id of one document.")] = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show a knowledge base with its documents, or one document."""
    with reporting(as_json) as report, closing(Gateway.find(url)) as gateway:
        path = f"{_STORES}/{segment(base)}"
        if document is not None:
            body = gateway.get(f"{path}/documents/{segment(document)}")
            report.result(body, lambda out: _print_fields(out, body))
            return
        body = {**gateway.get(path), "documents": gateway.pages(f"{path}/documents")}
        report.result(body, lambda out: _print_base(out, body))


@app.command("search")
def search(
    base: BaseArgument,
    question: Annotated[str, typer.Argument(help="What to look for.")],
    top_k: Annotated[
        int | None,
        typer.Option(min=1, max=50, help="Most passages; if left out, knowledge.top_k."),
    ] = None,
    max_tokens: Annotated[
        int | None,
        typer.Option(min=1, help="Most tokens of the passages together; the best come first."),
    ] = None,
    access: Annotated[
        list[str] | None,
        typer.Option(metavar="LABEL", help="A label that the reader holds; repeat it."),
    ] = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the passages that answer a question best; nothing is generated."""
    with reporting(as_json) as report, closing(Gateway.find(url)) as gateway:
        body: dict[str, Any] = {"query": question, "max_num_results": top_k}
        body |= {"access_labels": access or [], "max_tokens": max_tokens}
        found = gateway.post(f"{_STORES}/{segment(base)}/search", json=body)
        report.result(found, lambda out: _print_passages(out, found))


@app.command("reconcile")
def reconcile(base: BaseArgument, url: UrlOption = None, as_json: JsonOption = False) -> None:
    """Make the index equal to the documents: remove orphans, add what is missing."""
    with reporting(as_json) as report, closing(Gateway.find(url)) as gateway:
        body = gateway.post(f"{_STORES}/{segment(base)}/reconcile")
        if job := (body or {}).get("job"):
            body = wait_for_job(gateway, report, job["id"], "reconciling").get("result") or {}
        report.result(body, lambda out: _print_fields(out, body))


def _chunking(text: str) -> dict[str, Any]:
    """Return the body of STRATEGY[:TOKENS]; a fifth of the tokens overlaps, as in the default."""
    strategy, _, tokens = text.partition(":")
    if not tokens:
        return {"strategy": strategy}
    if not tokens.isdecimal():
        message = f"--chunking {text!r}: write STRATEGY or STRATEGY:TOKENS, e.g. sentence:200."
        raise CommandFailed(problem(message, code="usage"))
    size = int(tokens)
    return {
        "strategy": strategy,
        "chunk_tokens": size,
        "overlap_tokens": size // 5,
        "parent_tokens": max(480, 4 * size),
    }


def named_files(paths: Sequence[Path]) -> dict[str, Path]:
    """Return every file with its document id: its path below a named folder, else its name.

    Raises:
        CommandFailed: Two files would have the same id.
    """
    named: dict[str, Path] = {}
    for path in paths:
        inside = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        for file in inside:
            name = file.relative_to(path).as_posix() if path.is_dir() else file.name
            if any(part.startswith(".") for part in Path(name).parts):
                continue
            if name in named:
                message = f"{named[name]} and {file} would both be the document {name!r}."
                raise CommandFailed(problem(message, code="ambiguous_documents"))
            named[name] = file
    if not named:
        raise CommandFailed(problem("There is no file to add.", code="nothing_to_add"))
    return named


def add_documents(
    gateway: Gateway,
    report: Report,
    base: str,
    named: Mapping[str, Path],
    *,
    access: Sequence[str] | None = None,
    password: str | None = None,
) -> list[Any]:
    """Put every file and wait until the last is searchable."""
    root = f"{_STORES}/{segment(base)}/documents"
    documents: list[Any] = []
    fields = {} if access is None else {"access_labels": json.dumps([a for a in access if a])}
    if password is not None:
        fields["password"] = password
    with report.meter(f"adding to {base}") as meter:
        for done, (name, file) in enumerate(named.items()):
            meter.show(done / len(named), name)
            upload = {"file": (file.name, file.read_bytes())}
            reply = gateway.call("PUT", f"{root}/{segment(name)}", files=upload, data=fields)
            if job := reply.get("job"):
                gateway.finish(f"/jobs/{segment(job['id'])}", meter)
                reply = gateway.get(f"{root}/{segment(name)}")
            documents.append(reply)
        meter.show(1.0)
    return documents


def _print_base(out: Console, body: Mapping[str, Any]) -> None:
    _print_fields(out, {k: v for k, v in body.items() if k not in ("documents", "measured")})
    _print_fields(out, body.get("measured") or {})
    for row in body["documents"]:
        version = f"version {row['version']}" if "version" in row else ""
        out.print(f"  {row.get('external_id') or row['id']}  {version}".rstrip(), markup=False)


def _print_passages(out: Console, found: Mapping[str, Any]) -> None:
    rows = found.get("data") or []
    for row in rows:
        text = row.get("text") or " ".join(part["text"] for part in row.get("content") or [])
        name = row.get("external_id") or row.get("filename", "")
        out.print(f"{row['score']:.4f}  {name}", style="bold", markup=False)
        out.print(f"  {' '.join(str(text).split())[:300]}", markup=False)
    if cut := found.get("passages_over_budget"):
        out.print(f"over the token budget and left out: {cut}", markup=False)
    if found.get("degraded"):
        out.print("degraded: the vector index does not answer, words only", markup=False)
    if not rows:
        out.print("nothing found", markup=False)


def _print_fields(out: Console, body: Mapping[str, Any]) -> None:
    for key, value in body.items():
        out.print(f"{key}: {value}", markup=False)
