"""`fingerpost audit`: the changes that are in the audit log of this home, and its check.

Reads the database of this home: the gateway need not run.
"""

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console

from service.api.schemas.admin.audit import ChangeReply
from service.api.schemas.shapes import JsonObject
from service.cli.local import open_local
from service.cli.output import FAILED, CommandFailed, JsonOption, command_output
from service.stores.requests.chain import AuditRow, Verification

SHOWN_DIGEST = 12  # characters of a digest in the table
MOST_SHOWN = 1000


def audit(
    *,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="TIME", help="Only changes from this date or time on (ISO 8601, UTC)."
        ),
    ] = None,
    tenant: Annotated[str | None, typer.Option(help="Only changes of this tenant.")] = None,
    limit: Annotated[
        int, typer.Option(min=1, max=MOST_SHOWN, help="Maximum number of changes.")
    ] = 100,
    verify: Annotated[
        bool, typer.Option("--verify", help="Check that no row was changed or removed.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """List changes, newest first: who made them, by which key, of what, and when."""
    with command_output(as_json) as output:
        at = None if since is None else _seconds(since)
        with open_local() as local:
            if not verify:
                rows = local.audit.list(tenant=tenant, since=at, limit=limit)
                data = [ChangeReply.of(row).model_dump(mode="json") for row in rows]
                output.result({"object": "list", "data": data}, lambda out: _print(out, rows))
                return
            found = local.audit.verify()
        output.result(_document(found), _told(found))
        if found.first_changed is not None:
            raise typer.Exit(FAILED)


def _document(found: Verification) -> JsonObject:
    return {
        "object": "audit.verification",
        "verified": found.first_changed is None,
        "rows": found.rows,
        "redacted": found.redacted,
        "head": found.head,
        "first_changed": found.first_changed,
        "problem": found.problem,
    }


def _told(found: Verification) -> str:
    if found.first_changed is not None:
        return f"row {found.first_changed} is not as it was written: {found.problem}"
    redacted = f", {found.redacted} of them redacted" if found.redacted else ""
    return (
        f"{found.rows} rows are as they were written{redacted}; head {found.head}\n"
        "Note the head elsewhere: rows removed from the end show only by another head."
    )


def _print(out: Console, rows: tuple[AuditRow, ...]) -> None:
    if not rows:
        out.print("no changes")
    for row in rows:
        at = datetime.fromtimestamp(row.created_at, UTC).strftime("%Y-%m-%d %H:%M:%S")
        who = "(removed)" if row.tenant is None else f"{row.tenant} {row.key_id or '-'}"
        digests = "->".join((one or "-")[:SHOWN_DIGEST] for one in (row.before, row.after))
        line = f"{row.seq}  {at}  {who}  {row.action}  {row.object_id or ''}  {digests}"
        out.print(line, markup=False)


def _seconds(text: str) -> float:
    try:
        at = datetime.fromisoformat(text)
    except ValueError as exc:
        raise CommandFailed(
            f"--since {text!r} is not a date or time; write 2026-11-30 or 2026-11-30T18:00.",
            code="invalid_request",
        ) from exc
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
