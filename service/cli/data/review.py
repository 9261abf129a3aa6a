"""`fingerpost data sample` and `fingerpost data review`: people read rows and decide."""

from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from adapters import accept_row, choose_sample, row_as_dict, row_of
from service.api.schemas.shapes import JsonObject, ListReply
from service.cli.client import Gateway, bodies, segment
from service.cli.data.context import write_rows
from service.cli.data.steps import ReviewQueue, read_sources
from service.cli.output import CommandFailed, JsonOption, UrlOption, command_output
from service.cli.replies import AnyReply, BatchReply, ReviewItemReply, RowReply

app = typer.Typer(help="Rows that people review: accept, edit or reject.", no_args_is_help=True)

ITEMS, BATCHES = "/review_items", "/review_batches"
MOST_SHOWN_CHARS = 60  # of a question in a list

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="Id of the row in the queue.")]
IdsArgument = Annotated[
    list[str], typer.Argument(metavar="ID...", help="Ids of the rows in the queue.")
]
NoteOption = Annotated[str, typer.Option("--note", help="Why, for whoever looks at it later.")]
AgainOption = Annotated[bool, typer.Option("--again", help="Replace an earlier decision.")]


def sample(
    file: Annotated[Path, typer.Argument(metavar="ROWS.jsonl", help="Training rows.")],
    *,
    share: Annotated[
        float, typer.Option(min=0.0001, max=1, help="Share of the rows to read by hand.")
    ] = 0.1,
    batch: Annotated[
        str | None, typer.Option(help="Name of the batch (default: the file's name).")
    ] = None,
    seed: Annotated[int, typer.Option(help="Random seed.")] = 0,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put a random sample of training rows into the review queue.

    The data check of a use case with `manual_sample_share` passes once enough rows are accepted.
    """
    with command_output(as_json) as output, closing(Gateway.find(url)) as gateway:
        rows = read_sources([file], output)
        chosen = choose_sample(rows, share, seed=seed)
        queue = ReviewQueue(gateway, batch or file.name)
        queue.take(chosen)
        body = {"batch": queue.batch, "rows": len(rows), "sampled": len(chosen)}
        output.result(
            {**body, "added": queue.added},
            f"{len(chosen)} of {len(rows)} rows to review in batch {queue.batch!r}, "
            f"{queue.added} of them new",
        )


@app.command("ls")
def list_items(
    batch: Annotated[str | None, typer.Option(help="Only rows of this batch.")] = None,
    status: Annotated[
        str, typer.Option(help="pending, accepted, edited, rejected or all.")
    ] = "pending",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Most rows listed.")] = 20,
    url: UrlOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """List rows of the review queue, those that came first first."""
    with command_output(as_json) as output, closing(Gateway.find(url)) as gateway:
        params: dict[str, str | int] = {"limit": limit}
        params |= {} if batch is None else {"batch": batch}
        params |= {} if status == "all" else {"status": status}
        page = gateway.get(ITEMS, ListReply[ReviewItemReply], params=params)

        def human(out: Console) -> None:
            for item in page.reply.data:
                asked = " ".join((item.edited or item.row).messages[-2].content.split())
                out.print(f"{item.id}  {item.status}  {_short(asked)}", markup=False)
            if not page.reply.data:
                out.print(f"no rows are {status}" if status != "all" else "no rows")
            if page.reply.has_more:
                out.print("… and more (--limit)")

        output.result(page.body, human)


@app.command("batches")
def list_batches(url: UrlOption = None, as_json: JsonOption = False) -> None:
    """List the batches of the review queue with how many rows are in which state."""
    with command_output(as_json) as output, closing(Gateway.find(url)) as gateway:
        page = gateway.get(BATCHES, ListReply[BatchReply])
        lines = [
            f"{one.id}: {one.pending} pending, {one.accepted} accepted, {one.edited} edited, "
            f"{one.rejected} rejected"
            for one in page.reply.data
        ]
        output.result(page.body, "\n".join(lines) or "no batches")


@app.command("show")
def show(item_id: IdArgument, url: UrlOption = None, as_json: JsonOption = False) -> None:
    """Show one row of the review queue."""
    with command_output(as_json) as output, closing(Gateway.find(url)) as gateway:
        found = gateway.get(f"{ITEMS}/{segment(item_id)}", ReviewItemReply)
        item = found.reply

        def human(out: Console) -> None:
            out.print(f"{item.status}, batch {item.batch}", markup=False)
            _print_row(out, item.row)
            if item.edited is not None:
                out.print("--- edited:", markup=False)
                _print_row(out, item.edited)
            if item.note:
                out.print(f"note: {item.note}", markup=False)

        output.result(found.body, human)


@app.command("accept")
def accept(
    item_ids: IdsArgument,
    note: NoteOption = "",
    again: AgainOption = False,
    url: UrlOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Let rows stand as they are."""
    _decide(item_ids, "accept", {"note": note, "again": again}, url=url, as_json=as_json)


@app.command("reject")
def reject(
    item_ids: IdsArgument,
    note: NoteOption = "",
    again: AgainOption = False,
    url: UrlOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Reject rows: the data check fails where they are still trained on."""
    _decide(item_ids, "reject", {"note": note, "again": again}, url=url, as_json=as_json)


@app.command("edit")
def edit(
    item_id: IdArgument,
    *,
    question: Annotated[str | None, typer.Option(help="The last question as it should be.")] = None,
    answer: Annotated[str | None, typer.Option(help="The last answer as it should be.")] = None,
    note: NoteOption = "",
    again: AgainOption = False,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Replace the question or the answer of a row; the changed row counts as reviewed."""
    with command_output(as_json) as output, closing(Gateway.find(url)) as gateway:
        if question is None and answer is None:
            raise CommandFailed("Use --question, --answer or both.", code="usage")
        path = f"{ITEMS}/{segment(item_id)}"
        item = gateway.get(path, ReviewItemReply).reply
        turns = [turn.model_dump(mode="json") for turn in (item.edited or item.row).messages]
        for place, text in ((-2, question), (-1, answer)):
            if text is not None:
                turns[place] = {**turns[place], "content": text}
        body: JsonObject = {"messages": [*turns], "note": note, "again": again}
        done = gateway.post(f"{path}/edit", ReviewItemReply, body=body)
        output.result(done.body, f"{item_id} is edited")


@app.command("export")
def export(
    out: Annotated[Path, typer.Argument(metavar="OUT.jsonl", help="File to write the rows to.")],
    batch: Annotated[str | None, typer.Option(help="Only rows of this batch.")] = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the accepted and edited rows, marked as reviewed, to train on."""
    with command_output(as_json) as output, closing(Gateway.find(url)) as gateway:
        chosen = {} if batch is None else {"batch": batch}
        items = [one.reply for one in gateway.pages(ITEMS, ReviewItemReply, **chosen)]
        stand = [item for item in items if item.status in ("accepted", "edited")]
        rows = [
            row_as_dict(accept_row(row_of((item.edited or item.row).model_dump(mode="json"))))
            for item in stand
        ]
        write_rows(out, [{"messages": row["messages"], "meta": row["meta"]} for row in rows])
        counts = Counter(item.status for item in items)
        left = f", {counts['pending']} are still pending" if counts["pending"] else ""
        output.result(
            {"out": str(out), "rows": len(rows), **counts}, f"{len(rows)} rows: {out}{left}"
        )


@app.command("rm")
def remove(
    batch: Annotated[str, typer.Argument(metavar="BATCH", help="Name of the batch.")],
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Delete a batch with its rows and decisions."""
    with command_output(as_json) as output, closing(Gateway.find(url)) as gateway:
        done = gateway.call("DELETE", f"{BATCHES}/{segment(batch)}", AnyReply)
        output.result(done.body, f"{done.body['rows']} rows deleted")


def _decide(
    item_ids: list[str], verdict: str, body: JsonObject, *, url: str | None, as_json: bool
) -> None:
    with command_output(as_json) as output, closing(Gateway.find(url)) as gateway:
        done = [
            gateway.post(f"{ITEMS}/{segment(item_id)}/{verdict}", ReviewItemReply, body=body)
            for item_id in item_ids
        ]
        lines = [f"{one.reply.id} is {one.reply.status}" for one in done]
        output.result({"object": "list", "data": bodies(done)}, "\n".join(lines))


def _print_row(out: Console, row: RowReply) -> None:
    out.print(f"{row.file}, line {row.line}", markup=False)
    for turn in row.messages:
        out.print(f"[{turn.role}] {turn.content}", markup=False)
    for name, value in row.meta.items():
        out.print(f"{name}: {value}", markup=False)


def _short(text: str) -> str:
    return text if len(text) <= MOST_SHOWN_CHARS else f"{text[:MOST_SHOWN_CHARS]}…"
