"""`fingerpost kb sync BASE DIR`: a knowledge base synchronised with a folder.

It knows which files differ, by content; it does not know how a document is written.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from service.api.schemas.shapes import JsonObject
from service.cli.client import Gateway, Received, Upload, segment
from service.cli.kb.adding import named_files
from service.cli.kb.bases import STORES, BaseArgument
from service.cli.output import (
    FAILED,
    CommandFailed,
    JsonOption,
    Output,
    ProgressBar,
    UrlOption,
    command_output,
)
from service.cli.replies import AcceptedReply, DocumentReply, JobReply

_AT_ONCE = 4  # uploads under way: the worker never waits for the next one
_GATEWAY_GONE = "gateway_unavailable"

FolderArgument = Annotated[Path, typer.Argument(metavar="DIR", help="Folder to synchronise from.")]


@dataclass(frozen=True, slots=True)
class Failure:
    """A document that could not be written, and why."""

    document: str
    message: str
    code: str


@dataclass
class Outcome:
    """What a sync did, or would do with `--dry-run`."""

    added: list[str] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    unchanged: int = 0
    failed: list[Failure] = field(default_factory=list)

    def as_document(self, base: str, *, dry_run: bool) -> JsonObject:
        """Return what `--json` prints."""
        return {
            "knowledge_base": base,
            "dry_run": dry_run,
            "added": [*sorted(self.added)],
            "replaced": [*sorted(self.replaced)],
            "deleted": [*sorted(self.deleted)],
            "unchanged": self.unchanged,
            "failed": [
                {"document": row.document, "error": {"code": row.code, "message": row.message}}
                for row in sorted(self.failed, key=lambda row: row.document)
            ],
        }


@dataclass(frozen=True)
class _Upload:
    name: str
    file: Path
    attributes: JsonObject  # those of the present version, which the new one keeps
    done: list[str]  # where its name goes once it is in


def sync(
    base: BaseArgument,
    folder: FolderArgument,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change, without changing anything.")
    ] = False,
    delete: Annotated[
        bool,
        typer.Option(
            "--delete/--no-delete", help="Delete documents that the folder does not contain."
        ),
    ] = True,
    allow_empty: Annotated[
        bool,
        typer.Option("--allow-empty", help="Allow an empty folder, which deletes every document."),
    ] = False,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Synchronise a knowledge base with a folder: add, replace and delete documents.

    Unchanged documents are skipped. A file's path below the folder is its document id; hidden
    files are ignored. If a file fails, its document stays as it was, the other files are still
    processed, and the exit code is 1.
    """
    with command_output(as_json) as output, closing(Gateway.find(url)) as gateway:
        named = _files_of(folder, allow_empty)
        root = f"{STORES}/{segment(base)}/documents"
        live = {row.reply.external_id: row.reply for row in gateway.pages(root, DocumentReply)}
        outcome = Outcome()
        uploads = _compare(named, live, outcome)
        surplus = sorted(set(live) - set(named)) if delete else []
        if dry_run:
            for upload in uploads:
                upload.done.append(upload.name)
            outcome.deleted += surplus
        else:
            _carry_out(gateway, output, root, uploads=uploads, surplus=surplus, outcome=outcome)
        document = outcome.as_document(base, dry_run=dry_run)
        output.result(document, lambda out: _print_outcome(out, outcome, dry_run=dry_run))
        if outcome.failed:
            raise typer.Exit(FAILED)


def _files_of(folder: Path, allow_empty: bool) -> dict[str, Path]:
    """Return the folder's files by document id.

    Raises:
        CommandFailed: It is a file; or it is missing or empty, which `allow_empty` permits.
    """
    if folder.exists() and not folder.is_dir():
        message = f"{folder} is not a folder. Use `fingerpost kb add` for single files."
        raise CommandFailed(message, code="not_a_folder")
    try:
        return named_files([folder]) if folder.is_dir() else _refuse_empty(folder)
    except CommandFailed as exc:
        if allow_empty and exc.code in ("nothing_to_add", "empty_folder"):
            return {}
        if exc.code == "nothing_to_add":
            _refuse_empty(folder)
        raise


def _refuse_empty(folder: Path) -> dict[str, Path]:
    what = "contains no files" if folder.is_dir() else "does not exist"
    message = f"{folder} {what}; syncing would delete every document of the knowledge base."
    hint = "Correct the path, or use --allow-empty if this is intended."
    raise CommandFailed(message, code="empty_folder", hint=hint)


def _compare(
    named: Mapping[str, Path], live: Mapping[str, DocumentReply], outcome: Outcome
) -> list[_Upload]:
    """Return the files to send; a file that cannot be read is recorded as failed."""
    uploads: list[_Upload] = []
    for name, file in named.items():
        known = live.get(name)
        try:
            with file.open("rb") as content:
                digest = hashlib.file_digest(content, "sha256").hexdigest()
        except OSError as exc:
            message = f"{file}: {exc.strerror}"
            outcome.failed.append(Failure(name, message, "unreadable_file"))
            continue
        if known is None:
            uploads.append(_Upload(name, file, {}, outcome.added))
        elif known.content_hash != digest:
            uploads.append(_Upload(name, file, known.attributes or {}, outcome.replaced))
        else:
            outcome.unchanged += 1
    return uploads


def _carry_out(
    gateway: Gateway,
    output: Output,
    root: str,
    *,
    uploads: Sequence[_Upload],
    surplus: Sequence[str],
    outcome: Outcome,
) -> None:
    """Upload first and delete last, so that a renamed document is never missing."""
    total = len(uploads) + len(surplus)
    with output.progress("syncing") as bar, _threads() as threads:
        work: dict[Future[None], tuple[str, list[str]]] = {}
        for upload in uploads:
            work[threads.submit(_send, gateway, root, upload)] = (upload.name, upload.done)
        for number, name in enumerate(_collect(work, outcome), start=1):
            bar.show(number / total, name)
        work = {threads.submit(_delete, gateway, root, n): (n, outcome.deleted) for n in surplus}
        for number, name in enumerate(_collect(work, outcome), start=1 + len(uploads)):
            bar.show(number / total, name)
        bar.show(1.0)


@contextmanager
def _threads() -> Iterator[ThreadPoolExecutor]:
    threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="sync")
    try:
        yield threads
    finally:
        threads.shutdown(cancel_futures=True)


def _collect(work: Mapping[Future[None], tuple[str, list[str]]], outcome: Outcome) -> Iterator[str]:
    """Record how each document went and yield its name."""
    for future in as_completed(work):
        name, done = work[future]
        try:
            future.result()
            done.append(name)
        except CommandFailed as exc:
            if exc.code == _GATEWAY_GONE:
                raise  # the others would fail as well
            outcome.failed.append(Failure(name, str(exc), exc.code or "failed"))
        except OSError as exc:
            outcome.failed.append(Failure(name, str(exc), "unreadable_file"))
        yield name


def _send(gateway: Gateway, root: str, upload: _Upload) -> None:
    fields = {"attributes": json.dumps(upload.attributes)}
    content = Upload(upload.file.name, upload.file.read_bytes(), fields)
    place = f"{root}/{segment(upload.name)}"
    _wait(gateway, gateway.call("PUT", place, AcceptedReply, upload=content))


def _delete(gateway: Gateway, root: str, name: str) -> None:
    try:
        _wait(gateway, gateway.call("DELETE", f"{root}/{segment(name)}", AcceptedReply))
    except CommandFailed as exc:
        if exc.status != 404:  # somebody else deleted it meanwhile
            raise


def _wait(gateway: Gateway, accepted: Received[AcceptedReply]) -> None:
    if job := accepted.reply.job:
        silent = ProgressBar("", None, lambda _: None)
        gateway.finish(f"/jobs/{segment(job.id)}", JobReply, silent)


def _print_outcome(out: Console, outcome: Outcome, *, dry_run: bool) -> None:
    changes = {"added": outcome.added, "replaced": outcome.replaced, "deleted": outcome.deleted}
    for change, names in changes.items():
        for name in sorted(names):
            out.print(f"{change:<10}{name}", markup=False)
    for row in sorted(outcome.failed, key=lambda row: row.document):
        out.print(f"{'failed':<10}{row.document}: {row.message}", markup=False)
    counts = ", ".join(f"{len(names)} {change}" for change, names in changes.items())
    would = "would be: " if dry_run else ""
    failed = f", {len(outcome.failed)} failed" if outcome.failed else ""
    out.print(f"{would}{counts}, {outcome.unchanged} unchanged{failed}", markup=False)
