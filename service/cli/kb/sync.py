"""`fingerpost kb sync BASE DIR`: a knowledge base made equal to a folder.

It knows which files differ, by content; it does not know how a document is written.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from service.cli.client import Gateway, segment
from service.cli.kb.bases import BaseArgument, named_files
from service.cli.output import (
    FAILED,
    CommandFailed,
    JsonOption,
    Meter,
    Report,
    UrlOption,
    problem,
    reporting,
)

_AT_ONCE = 4  # uploads under way: the worker never waits for the next one
_GATEWAY_GONE = "gateway_unavailable"

FolderArgument = Annotated[Path, typer.Argument(metavar="DIR", help="Folder to be equal to.")]


@dataclass
class Outcome:
    """What a sync did, or with `--dry-run` would do."""

    added: list[str] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    unchanged: int = 0
    failed: list[dict[str, Any]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return the outcome as it is printed."""
        return {
            "added": sorted(self.added),
            "replaced": sorted(self.replaced),
            "deleted": sorted(self.deleted),
            "unchanged": self.unchanged,
            "failed": sorted(self.failed, key=lambda row: str(row["document"])),
        }


@dataclass(frozen=True)
class _Upload:
    name: str
    file: Path
    before: Mapping[str, Any]  # the document as it is listed, empty if it is new
    done: list[str]  # where its name goes once it is in


def sync(
    base: BaseArgument,
    folder: FolderArgument,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would be done.")
    ] = False,
    delete: Annotated[
        bool, typer.Option("--delete/--no-delete", help="Delete what the folder lacks.")
    ] = True,
    allow_empty: Annotated[
        bool, typer.Option("--allow-empty", help="A folder without files empties the base.")
    ] = False,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a knowledge base equal to a folder: add, replace, delete; the rest is not touched.

    A file's path below the folder is its document's id; hidden files are left out. One bad file
    does not stop the others: its document stays as it was, and the exit code is 1.
    """
    with reporting(as_json) as report, closing(Gateway.find(url)) as gateway:
        named = _files_of(folder, allow_empty)
        root = f"/v1/vector_stores/{segment(base)}/documents"
        live = {str(row["external_id"]): row for row in gateway.pages(root)}
        outcome = Outcome()
        uploads = _compare(named, live, outcome)
        surplus = sorted(set(live) - set(named)) if delete else []
        if dry_run:
            for upload in uploads:
                upload.done.append(upload.name)
            outcome.deleted += surplus
        else:
            _carry_out(gateway, report, root, uploads, surplus, outcome)
        body = {"knowledge_base": base, "dry_run": dry_run, **outcome.as_dict()}
        report.result(body, lambda out: _print_outcome(out, body))
        if outcome.failed:
            raise typer.Exit(FAILED)


def _files_of(folder: Path, allow_empty: bool) -> dict[str, Path]:
    """Return the folder's files by document id.

    Raises:
        CommandFailed: It is a file; or it is missing or empty, which `allow_empty` permits.
    """
    if folder.exists() and not folder.is_dir():
        message = f"{folder} is no folder. `fingerpost kb add` takes single files."
        raise CommandFailed(problem(message, code="not_a_folder"))
    try:
        return named_files([folder]) if folder.is_dir() else _refuse_empty(folder)
    except CommandFailed as exc:
        if allow_empty and exc.body["error"]["code"] in ("nothing_to_add", "empty_folder"):
            return {}
        if exc.body["error"]["code"] == "nothing_to_add":
            _refuse_empty(folder)
        raise


def _refuse_empty(folder: Path) -> dict[str, Path]:
    what = "holds no file" if folder.is_dir() else "does not exist"
    message = f"{folder} {what}; a sync would delete every document of the knowledge base."
    hint = "Correct the path, or say --allow-empty if that is what you want."
    raise CommandFailed(problem(message, code="empty_folder", hint=hint))


def _compare(
    named: Mapping[str, Path], live: Mapping[str, Mapping[str, Any]], outcome: Outcome
) -> list[_Upload]:
    """Return what has to be sent; a file that cannot be read is noted as failed."""
    uploads: list[_Upload] = []
    for name, file in named.items():
        known = live.get(name)
        try:
            with file.open("rb") as content:
                digest = hashlib.file_digest(content, "sha256").hexdigest()
        except OSError as exc:
            outcome.failed.append(_failure(name, f"{file}: {exc.strerror}", "unreadable_file"))
            continue
        if known is None:
            uploads.append(_Upload(name, file, {}, outcome.added))
        elif known["content_hash"] != digest:
            uploads.append(_Upload(name, file, known, outcome.replaced))
        else:
            outcome.unchanged += 1
    return uploads


def _carry_out(
    gateway: Gateway,
    report: Report,
    root: str,
    uploads: Sequence[_Upload],
    surplus: Sequence[str],
    outcome: Outcome,
) -> None:
    """Send first and delete last, so that a renamed document is never missing."""
    with report.meter("syncing") as meter, _threads() as threads:
        work: dict[Future[None], tuple[str, list[str]]] = {}
        for upload in uploads:
            work[threads.submit(_send, gateway, root, upload)] = (upload.name, upload.done)
        _collect(work, meter, outcome, total=len(uploads) + len(surplus), before=0)
        work = {threads.submit(_delete, gateway, root, n): (n, outcome.deleted) for n in surplus}
        total = len(uploads) + len(surplus)
        _collect(work, meter, outcome, total=total, before=len(uploads))
        meter.show(1.0)


@contextmanager
def _threads() -> Iterator[ThreadPoolExecutor]:
    threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="sync")
    try:
        yield threads
    finally:
        threads.shutdown(cancel_futures=True)


def _collect(
    work: Mapping[Future[None], tuple[str, list[str]]],
    meter: Meter,
    outcome: Outcome,
    *,
    total: int,
    before: int,
) -> None:
    for number, future in enumerate(as_completed(work), start=before + 1):
        name, done = work[future]
        try:
            future.result()
            done.append(name)
        except CommandFailed as exc:
            error = exc.body.get("error") or {}
            if error.get("code") == _GATEWAY_GONE:
                raise  # every other one would fail as well
            message = str(error.get("message") or exc)
            outcome.failed.append(_failure(name, message, str(error.get("code") or "failed")))
        except OSError as exc:
            outcome.failed.append(_failure(name, str(exc), "unreadable_file"))
        meter.show(number / total, name)


def _send(gateway: Gateway, root: str, upload: _Upload) -> None:
    parts: dict[str, Any] = {"file": (upload.file.name, upload.file.read_bytes())}
    fields = {"attributes": json.dumps(upload.before.get("attributes") or {})}
    place = f"{root}/{segment(upload.name)}"
    _wait(gateway, gateway.call("PUT", place, files=parts, data=fields))


def _delete(gateway: Gateway, root: str, name: str) -> None:
    try:
        _wait(gateway, gateway.call("DELETE", f"{root}/{segment(name)}"))
    except CommandFailed as exc:
        if exc.body.get("status") != 404:  # somebody else deleted it meanwhile
            raise


def _wait(gateway: Gateway, reply: Mapping[str, Any] | None) -> None:
    if reply and (job := reply.get("job")):
        silent = Meter("", None, lambda _: None)
        gateway.finish(f"/jobs/{segment(job['id'])}", silent)


def _failure(name: str, message: str, code: str) -> dict[str, Any]:
    return {"document": name, "error": {"code": code, "message": message}}


def _print_outcome(out: Console, body: Mapping[str, Any]) -> None:
    for what in ("added", "replaced", "deleted"):
        for name in body[what]:
            out.print(f"{what:<10}{name}", markup=False)
    for row in body["failed"]:
        out.print(f"{'failed':<10}{row['document']}: {row['error']['message']}", markup=False)
    counts = ", ".join(f"{len(body[key])} {key}" for key in ("added", "replaced", "deleted"))
    would = "would be: " if body["dry_run"] else ""
    failed = f", {len(body['failed'])} failed" if body["failed"] else ""
    out.print(f"{would}{counts}, {body['unchanged']} unchanged{failed}", markup=False)
