"""`fingerpost kb history|stale`: what happened to documents, and to which nothing does any more."""

import time
from collections.abc import Sequence
from contextlib import closing
from typing import Annotated

import typer
from rich.console import Console

from service.cli.client import Gateway, segment
from service.cli.kb.bases import BaseArgument, list_document
from service.cli.output import JsonOption, UrlOption, command_output
from service.cli.replies import CitationsReply, StaleReply, VersionReply


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


def stale(
    base: BaseArgument,
    days: Annotated[
        int,
        typer.Option(
            "--days", metavar="N", min=1, max=36_500, help="How long neither changed nor cited."
        ),
    ],
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """List documents that nobody changed and no answer cited for N days, the longest first.

    New labels and a newer reader are no change.
    """
    with command_output(as_json) as output, closing(Gateway.find(url)) as gateway:
        path = f"/v1/vector_stores/{segment(base)}/stale"
        rows = gateway.pages(path, StaleReply, days=str(days))
        rows.sort(key=lambda row: max(row.reply.changed_at, row.reply.cited_at or 0.0))
        first = gateway.get(path, CitationsReply, params={"days": days, "limit": 1}).reply
        body = {**list_document(rows), "citations_since": first.citations_since}
        found = [row.reply for row in rows]
        output.result(body, lambda out: _print_stale(out, found, days, first.citations_since))


def _print_stale(out: Console, rows: Sequence[StaleReply], days: int, since: float) -> None:
    for row in rows:
        cited = "never cited" if row.cited_at is None else f"cited {_date(row.cited_at)}"
        out.print(f"{row.external_id}  changed {_date(row.changed_at)}, {cited}", markup=False)
    if rows and since > time.time() - days * 86_400:
        out.print(f"citations are noted since {_date(since)}; earlier ones are not known")
    out.print(f"{len(rows)} documents were neither changed nor cited for {days} days")


def _date(at: float) -> str:
    return time.strftime("%Y-%m-%d", time.localtime(at))


def _print_versions(out: Console, rows: Sequence[VersionReply]) -> None:
    for row in rows:
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(row.changed_at))
        of = f" of {row.replaces}" if row.replaces is not None else ""
        of += f" by the text of {row.restores}" if row.restores is not None else ""
        state = "active" if row.is_active else f"replaced by {row.replaced_by or 'nothing'}"
        out.print(
            f"{when}  {row.external_id}  version {row.version} {row.change}{of}, {state}  "
            f"{row.bytes} bytes, {row.chunks} chunks  {row.content_hash[:12]}"
            f"{'  text kept' if row.has_text and not row.is_active else ''}",
            markup=False,
        )
    if not rows:
        out.print("no versions yet", markup=False)
