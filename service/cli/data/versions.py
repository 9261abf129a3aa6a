"""`fingerpost data versions`: what changed between two versions of one list of questions."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from adapters import VersionComparison, compare_versions, load_rows
from service.api.schemas.shapes import JsonObject
from service.cli.data.context import write_rows
from service.cli.output import JsonOption, command_output

_MOST_SHOWN = 10  # changed answers; --json prints twenty


def versions(
    older: Annotated[Path, typer.Argument(metavar="OLDER", help="Rows of the older version.")],
    newer: Annotated[Path, typer.Argument(metavar="NEWER", help="Rows of the newer version.")],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="Write the rows of OLDER here, those with an outdated answer marked "
            "`outdated: true`.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Compare two versions of a FAQ or of training rows, question by question.

    Questions and answers are compared without case, width, spaces and punctuation. A row of the
    older version is outdated where the newer one answers otherwise or has the question no more.
    """
    with command_output(as_json) as output:
        before = load_rows([older])
        found = compare_versions(before, load_rows([newer]))
        body: JsonObject = {**found.as_dict(), "outdated": len(found.outdated)}
        if out is not None:
            outdated = {row.line for row in found.outdated}
            write_rows(
                out,
                [
                    {
                        "messages": [turn.as_dict() for turn in row.messages],
                        **row.meta,
                        **({"outdated": True} if row.line in outdated else {}),
                    }
                    for row in before
                ],
            )
            body["out"] = str(out)
        output.result(body, lambda console: _print(console, found))


def _print(out: Console, found: VersionComparison) -> None:
    counts = f"{found.same} the same, {len(found.changed)} changed, {found.added} added"
    out.print(f"{counts}, {found.removed} removed", markup=False)
    for one in found.changed[:_MOST_SHOWN]:
        out.print(f"line {one.older.line} → {one.newer.line}: {one.newer.text}", markup=False)
        out.print(f"  before ({one.older.reason}): {one.older_answer}", markup=False)
        out.print(f"  now ({one.newer.reason}): {one.newer_answer}", markup=False)
    if len(found.changed) > _MOST_SHOWN:
        out.print(f"… {len(found.changed) - _MOST_SHOWN} more", markup=False)
