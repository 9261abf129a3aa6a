"""`fingerpost kb history`: what happened to a document, or to all of a knowledge base."""

import time
from collections.abc import Sequence
from contextlib import closing
from typing import Annotated

import typer
from rich.console import Console

from service.cli.client import Gateway, segment
from service.cli.kb.bases import BaseArgument, list_document
from service.cli.output import JsonOption, UrlOption, command_output
from service.cli.replies import VersionReply


def history(
    base: BaseArgument,
    document: Annotated[
        str | None,
        typer.Argument(metavar="DOCUMENT", help="Id of the document (default: all documents)."),
    ] = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the versions of one or all documents, newest first, including deleted ones."""
    with command_output(as_json) as output, closing(Gateway.find(url)) as gateway:
        asked = {"document": document} if document is not None else {}
        rows = gateway.pages(f"/v1/vector_stores/{segment(base)}/history", VersionReply, **asked)
        output.result(
            list_document(rows), lambda out: _print_versions(out, [row.reply for row in rows])
        )


def _print_versions(out: Console, rows: Sequence[VersionReply]) -> None:
    for row in rows:
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(row.changed_at))
        of = f" of {row.replaces}" if row.replaces is not None else ""
        state = "active" if row.is_active else f"replaced by {row.replaced_by or 'nothing'}"
        out.print(
            f"{when}  {row.external_id}  version {row.version} {row.change}{of}, {state}  "
            f"{row.bytes} bytes, {row.chunks} chunks  {row.content_hash[:12]}",
            markup=False,
        )
    if not rows:
        out.print("no versions yet", markup=False)
