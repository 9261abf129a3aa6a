"""`fingerpost kb diff|rollback`: versions of a document compared, and an earlier one taken back."""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Annotated

import typer
from rich.console import Console

from service.api.schemas.shapes import JsonObject
from service.cli.client import Gateway, segment, wait_for_job
from service.cli.kb.bases import STORES, BaseArgument
from service.cli.output import FAILED, JsonOption, ToldCode, UrlOption, command_output
from service.cli.replies import AcceptedReply, DocumentReply, VersionDiffReply

DocumentArgument = Annotated[str, typer.Argument(metavar="DOCUMENT", help="Id of the document.")]
DIFFERENT, TROUBLE = 1, ToldCode(2)  # exit codes of diff(1)


def diff(
    base: BaseArgument,
    document: DocumentArgument,
    old: Annotated[int, typer.Argument(metavar="V1", min=1, help="Number of a version.")],
    new: Annotated[
        int | None,
        typer.Argument(metavar="V2", min=1, help="Number of another (default: the active one)."),
    ] = None,
    *,
    access: Annotated[
        list[str] | None,
        typer.Option(metavar="LABEL", help="Access label of the reader; may be repeated."),
    ] = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show how the texts of two versions differ, as a unified diff.

    The text of a replaced version is there if the knowledge base keeps versions (`kb update BASE
    --keep-versions N`). The exit code is that of diff: 0 if the texts are equal, 1 if they differ,
    2 on an error.
    """
    with (
        _trouble_is_two(),
        command_output(as_json) as output,
        closing(Gateway.find(url)) as gateway,
    ):
        asked: dict[str, str | int | list[str]] = {"document": document, "old": old}
        if new is not None:
            asked["new"] = new
        if access is not None:
            asked["access_labels"] = list(access)
        found = gateway.get(f"{STORES}/{segment(base)}/diff", VersionDiffReply, params=asked)
        output.result(found.body, lambda out: _print_diff(out, found.reply))
    raise typer.Exit(DIFFERENT if found.reply.differs else 0)


def rollback(
    base: BaseArgument,
    document: DocumentArgument,
    version: Annotated[
        int, typer.Argument(metavar="VERSION", min=1, help="Number of the version to take back.")
    ],
    *,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the text of an earlier version as a new version of the document.

    It has the labels and attributes that the document has now; a text that was guarded is not
    opened. The text of the version must have been kept (`kb update BASE --keep-versions N`). Where
    the document comes from a synced folder, put the earlier file there as well: the next sync sends
    what the folder holds.
    """
    with command_output(as_json) as output, closing(Gateway.find(url)) as gateway:
        place = f"{STORES}/{segment(base)}"
        asked: JsonObject = {"document": document, "version": version}
        done = gateway.post(f"{place}/rollback", AcceptedReply, body=asked)
        body: Mapping[str, object] = done.body
        if job := done.reply.job:
            body = wait_for_job(gateway, output, job.id, "rolling back").result or {}
        now = gateway.get(f"{place}/documents/{segment(document)}", DocumentReply).reply
        told = _told(document, version, now, unchanged=bool(body.get("unchanged")))
        output.result(body, told)


def _told(document: str, version: int, now: DocumentReply, *, unchanged: bool) -> str:
    if unchanged:
        active = f"version {now.version} is the active one"
        same = "" if now.version == version else f" and has the text of version {version}"
        return f"{document}: {active}{same}; nothing was changed"
    labels = f"  ({', '.join(now.access_labels)})" if now.access_labels else ""
    lines = [f"{document}: version {now.version} has the text of version {version}{labels}"]
    if now.synced_from:
        lines.append(
            f"note: the next sync of {now.synced_from} sends the file as it is there; put the "
            "earlier one there as well"
        )
    return "\n".join(lines)


def _print_diff(out: Console, found: VersionDiffReply) -> None:
    for line in found.diff.split("\n")[:-1]:
        out.print(line, markup=False, soft_wrap=True)


@contextmanager
def _trouble_is_two() -> Iterator[None]:
    """Let an error end with 2, as 1 means that the texts differ."""
    try:
        yield
    except typer.Exit as exc:
        raise typer.Exit(TROUBLE if exc.exit_code == FAILED else exc.exit_code) from exc
