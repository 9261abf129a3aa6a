"""`fingerpost kb add`: documents put into a knowledge base.

It knows files and their document ids; it does not know how a document is parsed.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from service.cli.client import Gateway, Received, Upload, segment
from service.cli.kb.bases import STORES, BaseArgument, list_document
from service.cli.output import CommandFailed, JsonOption, Output, UrlOption, command_output
from service.cli.replies import DocumentReply, JobReply


def add(
    base: BaseArgument,
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Files or folders to add.", exists=True)
    ],
    external_id: Annotated[
        str | None, typer.Option("--as", help="Id of the document (a single file only).")
    ] = None,
    access: Annotated[
        list[str] | None,
        typer.Option(
            metavar="LABEL",
            help=(
                "Access label of the documents; may be repeated. '' removes all labels "
                "(default: labels are not changed)."
            ),
        ),
    ] = None,
    password: Annotated[
        str | None, typer.Option(help="Password of an encrypted PDF; it is not stored.")
    ] = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add or replace documents. In a folder, a file's relative path is its document id."""
    with command_output(as_json) as output, closing(Gateway.find(url)) as gateway:
        named = named_files(files)
        if external_id is not None:
            if len(named) != 1:
                raise CommandFailed("--as can only be used with a single file.", code="usage")
            named = {external_id: next(iter(named.values()))}
        documents = add_documents(gateway, output, base, named, fields=_fields(access, password))
        output.result(
            list_document(documents), f"{len(documents)} documents are searchable in {base}"
        )


def named_files(paths: Sequence[Path]) -> dict[str, Path]:
    """Return every file by its document id: its path below a named folder, else its name.

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
                raise CommandFailed(message, code="ambiguous_documents")
            named[name] = file
    if not named:
        raise CommandFailed("There is no file to add.", code="nothing_to_add")
    return named


def add_documents(
    gateway: Gateway,
    output: Output,
    base: str,
    named: Mapping[str, Path],
    *,
    fields: Mapping[str, str] | None = None,
) -> list[Received[DocumentReply]]:
    """Put every file and wait until the last one is searchable."""
    root = f"{STORES}/{segment(base)}/documents"
    documents: list[Received[DocumentReply]] = []
    with output.progress(f"adding to {base}") as bar:
        for done, (name, file) in enumerate(named.items()):
            bar.show(done / len(named), name)
            upload = Upload(file.name, file.read_bytes(), fields or {})
            reply = gateway.call("PUT", f"{root}/{segment(name)}", DocumentReply, upload=upload)
            if job := reply.reply.job:
                gateway.finish(f"/jobs/{segment(job.id)}", JobReply, bar)
                reply = gateway.get(f"{root}/{segment(name)}", DocumentReply)
            documents.append(reply)
        bar.show(1.0)
    return documents


def _fields(access: Sequence[str] | None, password: str | None) -> dict[str, str]:
    """Return the form fields beside the file; an absent one leaves what is stored as it is."""
    fields = {} if access is None else {"access_labels": json.dumps([a for a in access if a])}
    return fields if password is None else {**fields, "password": password}
