"""`fingerpost kb history`: what happened to a document, or to all of a knowledge base."""

import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Annotated, Any

import typer
from rich.console import Console

from service.cli.client import Gateway, segment
from service.cli.kb.bases import BaseArgument
from service.cli.output import JsonOption, UrlOption, reporting


def history(
    base: BaseArgument,
    document: Annotated[str | None, typer.Argument(help="Id of one document.")] = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the versions of a document, deleted or not, or of all documents; newest first."""
    with reporting(as_json) as report, closing(Gateway.find(url)) as gateway:
        asked = {"document": document} if document is not None else {}
        rows = gateway.pages(f"/v1/vector_stores/{segment(base)}/history", **asked)
        body = {"object": "list", "data": rows, "has_more": False}
        report.result(body, lambda out: _print_versions(out, rows))


def _print_versions(out: Console, rows: Sequence[Mapping[str, Any]]) -> None:
    for row in rows:
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(row["changed_at"]))
        of = f" of {row['replaces']}" if row["replaces"] is not None else ""
        state = "serves" if row["is_active"] else f"until {row['replaced_by'] or 'now'}"
        out.print(
            f"{when}  {row['external_id']}  version {row['version']} {row['change']}{of}, {state}  "
            f"{row['bytes']} bytes, {row['chunks']} chunks  {row['content_hash'][:12]}",
            markup=False,
        )
    if not rows:
        out.print("nothing happened yet", markup=False)
