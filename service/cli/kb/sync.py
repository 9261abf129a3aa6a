"""`fingerpost kb sync BASE DIR`: a knowledge base synchronised with a folder.

It knows which files differ, by content and by access label; it does not know how a document is
written, nor how a folder is read (`folders`, `rules`).
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.console import Console

from service.api.schemas.shapes import JsonObject
from service.cli.client import Gateway, Received, segment
from service.cli.kb.adding import ENDS_ALL, EncodingOption, Plan, known_encoding, plan_labels
from service.cli.kb.bases import STORES, BaseArgument
from service.cli.kb.folders import Failure, FoundFiles, find_files, identity, read_unchanged
from service.cli.kb.rules import NONE, AccessOption, AccessRules
from service.cli.output import (
    FAILED,
    CommandFailed,
    JsonOption,
    ProgressBar,
    UrlOption,
    command_output,
)
from service.cli.replies import AcceptedReply, DocumentReply, JobReply, NotReadReply

T = TypeVar("T")

_AT_ONCE = 4  # uploads under way: the worker never waits for the next one

FolderArgument = Annotated[Path, typer.Argument(metavar="DIR", help="Folder to synchronise from.")]
Labels = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Change:
    """A file to send.

    Attributes:
        plan: The file, and its labels where a rule gives them.
        labels: Those of the present version; None: there is none.
        is_new_text: Its content is not that of the present version.
        is_outdated: The present version was read in an earlier way, or in another encoding.
    """

    plan: Plan
    labels: Labels | None
    is_new_text: bool
    is_outdated: bool = False


@dataclass
class Outcome:
    """What a sync did, or would do with `--dry-run`."""

    added: list[str] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    reread: list[str] = field(default_factory=list)
    relabelled: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    unchanged: int = 0
    failed: list[Failure] = field(default_factory=list)
    labels: dict[str, Labels] = field(default_factory=dict)
    left_out: dict[str, tuple[NotReadReply, ...]] = field(default_factory=dict)

    def record(self, change: _Change, labels: Labels) -> None:
        """Record a file that was sent, or would be, and the labels of its document now."""
        name = change.plan.name
        if change.labels is None:
            self.added.append(name)
        elif change.is_new_text:
            self.replaced.append(name)
        elif change.is_outdated:
            self.reread.append(name)
        is_relabelled = change.labels is not None and set(labels) != set(change.labels)
        if is_relabelled:
            self.relabelled.append(name)
        if labels or is_relabelled:
            self.labels[name] = labels

    def as_document(self, base: str, *, dry_run: bool) -> JsonObject:
        """Return what `--json` prints."""
        return {
            "knowledge_base": base,
            "dry_run": dry_run,
            "added": [*sorted(self.added)],
            "replaced": [*sorted(self.replaced)],
            "reread": [*sorted(self.reread)],
            "relabelled": [*sorted(self.relabelled)],
            "deleted": [*sorted(self.deleted)],
            "unchanged": self.unchanged,
            "failed": [row.as_json() for row in sorted(self.failed, key=lambda row: row.document)],
            "access_labels": {name: [*labels] for name, labels in sorted(self.labels.items())},
            "left_out": {
                name: [part.model_dump() for part in parts]
                for name, parts in sorted(self.left_out.items())
            },
        }


def sync(
    base: BaseArgument,
    folder: FolderArgument,
    *,
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
    access: AccessOption = None,
    encoding: EncodingOption = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Synchronise a knowledge base with a folder: add, replace, relabel and delete documents.

    Unchanged documents are skipped, unless they were read by a release that read files in another
    way. A file's path below the folder is its document id; hidden
    files are ignored. A file `.fingerpost-access`, with an access label a line, holds for its
    folder and below; without one a document keeps its labels, also when it is renamed. If a file
    fails, its document stays as it was, the other files are still processed, and the exit code
    is 1.
    """
    with command_output(as_json) as output, closing(Gateway.find(url)) as gateway:
        rules = AccessRules(access)
        here = identity(folder)
        found = _files_of(folder, allow_empty)
        root = f"{STORES}/{segment(base)}/documents"
        live = {row.reply.external_id: row.reply for row in gateway.pages(root, DocumentReply)}
        outcome = Outcome(failed=found.failed)
        plans = plan_labels(found, rules, known_encoding(encoding))
        changes = _compare(plans, live, outcome)
        surplus = sorted(name for name in live if delete and not found.may_hold(name))
        if dry_run:
            for change in changes:
                outcome.record(change, _expected_labels(change))
            outcome.deleted += surplus
        else:
            is_there = partial(_require_same_folder, folder, here)
            with output.progress("syncing") as bar:
                run = _Run(gateway, root, bar, outcome, len(changes) + len(surplus))
                run.send([change for change in changes if _expected_labels(change)])
                run.send([change for change in changes if not _expected_labels(change)])
                run.delete(surplus, is_there)
        document = outcome.as_document(base, dry_run=dry_run)
        output.result(document, lambda out: _print_outcome(out, outcome, dry_run=dry_run))
        if outcome.failed:
            raise typer.Exit(FAILED)


def _files_of(folder: Path, allow_empty: bool) -> FoundFiles:
    """Return the folder's files by document id.

    Raises:
        CommandFailed: It is a file; or it is missing or empty, which `allow_empty` permits.
    """
    if folder.exists() and not folder.is_dir():
        message = f"{folder} is not a folder. Use `fingerpost kb add` for single files."
        raise CommandFailed(message, code="not_a_folder")
    try:
        found = find_files([folder]) if folder.is_dir() else FoundFiles()
    except CommandFailed as exc:
        if exc.code != "nothing_to_add":
            raise
        found = FoundFiles()
    if not (found.files or allow_empty):
        what = "contains no files" if folder.is_dir() else "does not exist"
        what += "".join(f" that can be read ({row.message})" for row in found.failed[:1])
        message = f"{folder} {what}; syncing would delete every document of the knowledge base."
        hint = "Correct the path, or use --allow-empty if this is intended."
        raise CommandFailed(message, code="empty_folder", hint=hint)
    return found


def _compare(
    plans: Sequence[Plan], live: Mapping[str, DocumentReply], outcome: Outcome
) -> list[_Change]:
    """Return the files to send; a file that cannot be read is recorded as failed."""
    changes: list[_Change] = []
    for plan in plans:
        known = live.get(plan.name)
        try:
            digest = read_unchanged(plan.file, lambda opened: hashlib.file_digest(opened, "sha256"))
        except (CommandFailed, OSError) as exc:
            outcome.failed.append(Failure.of(plan.name, exc))
            continue
        if known is None:
            changes.append(_Change(plan, None, True))
            continue
        is_new = known.content_hash != digest.hexdigest()
        is_outdated = known.is_outdated or not plan.is_read_as(known.encoding)
        change = _Change(plan, known.access_labels, is_new, is_outdated)
        is_relabelled = set(_expected_labels(change)) != set(known.access_labels)
        if is_new or is_relabelled or is_outdated:
            changes.append(change)
        else:
            outcome.unchanged += 1
    return changes


def _expected_labels(change: _Change) -> Labels:
    """Return the labels of a rule, else those that the document has."""
    return (change.labels or ()) if change.plan.labels is None else change.plan.labels


def _require_same_folder(folder: Path, here: tuple[int, int] | None) -> None:
    if identity(folder) != here:
        message = f"{folder} vanished during the sync; nothing more is deleted."
        raise CommandFailed(message, code="folder_vanished")


@dataclass
class _Run:
    """A sync under way. First all is sent, then deleted: a renamed document is never missing.

    Files with labels, of a rule or of their document, are sent before the others, which follow them
    where their text is the same.
    """

    gateway: Gateway
    root: str
    bar: ProgressBar
    outcome: Outcome
    total: int
    done: int = 0

    def send(self, changes: Sequence[_Change]) -> None:
        """Send files, several at once."""
        with _threads() as threads:
            work = {threads.submit(self._send, change): change for change in changes}
            for sent in self._as_they_end({one: c.plan.name for one, c in work.items()}):
                made = sent.result()
                self.outcome.record(work[sent], made.access_labels)
                if made.left_out:
                    self.outcome.left_out[made.name] = made.left_out

    def delete(self, surplus: Sequence[str], require_folder: Callable[[], None]) -> None:
        """Delete the documents that have no file, as long as the folder is there."""
        with _threads() as threads:
            work = {threads.submit(self._delete, name, require_folder): name for name in surplus}
            self.outcome.deleted += [work[gone] for gone in self._as_they_end(work)]
        self.bar.show(1.0)

    def _as_they_end(self, work: Mapping[Future[T], str]) -> Iterator[Future[T]]:
        """Yield what succeeded; the others are recorded as failed."""
        for future in as_completed(work):
            try:
                future.result()
                yield future
            except (CommandFailed, OSError) as exc:
                failure = Failure.of(work[future], exc)
                if failure.code in ENDS_ALL:
                    raise
                self.outcome.failed.append(failure)
            self.done += 1
            self.bar.show(self.done / self.total, work[future])

    def _send(self, change: _Change) -> DocumentReply:
        """Send a file and return what became of it."""
        place = f"{self.root}/{segment(change.plan.name)}"
        upload = change.plan.upload()
        accepted = self.gateway.call("PUT", place, AcceptedReply, upload=upload)
        made = _wait(self.gateway, accepted)
        return DocumentReply.model_validate(made)

    def _delete(self, name: str, require_folder: Callable[[], None]) -> None:
        require_folder()
        place = f"{self.root}/{segment(name)}"
        try:
            _wait(self.gateway, self.gateway.call("DELETE", place, AcceptedReply))
        except CommandFailed as exc:
            if exc.status != 404:  # somebody else deleted it meanwhile
                raise


@contextmanager
def _threads() -> Iterator[ThreadPoolExecutor]:
    threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="sync")
    try:
        yield threads
    finally:
        threads.shutdown(cancel_futures=True)


def _wait(gateway: Gateway, accepted: Received[AcceptedReply]) -> JsonObject:
    """Return the result of a write, now or when its job has ended."""
    if job := accepted.reply.job:
        silent = ProgressBar("", None, lambda _: None)
        return gateway.finish(f"/jobs/{segment(job.id)}", JobReply, silent).reply.result or {}
    return accepted.body


def _print_outcome(out: Console, outcome: Outcome, *, dry_run: bool) -> None:
    changes = {
        "added": outcome.added,
        "replaced": outcome.replaced,
        "reread": outcome.reread,
        "relabelled": outcome.relabelled,
        "deleted": outcome.deleted,
    }
    for change, names in changes.items():
        for name in sorted(names):
            labels = outcome.labels.get(name)
            told = "" if labels is None else f"  ({', '.join(labels) or NONE})"
            out.print(f"{change:<12}{name}{told}", markup=False)
    for name, parts in sorted(outcome.left_out.items()):
        for part in parts:
            out.print(f"{'not read':<12}{name}: {part}", markup=False)
    for row in sorted(outcome.failed, key=lambda row: row.document):
        out.print(f"{'failed':<12}{row.document}: {row.message}", markup=False)
    counts = ", ".join(f"{len(names)} {change}" for change, names in changes.items())
    would = "would be: " if dry_run else ""
    failed = f", {len(outcome.failed)} failed" if outcome.failed else ""
    out.print(f"{would}{counts}, {outcome.unchanged} unchanged{failed}", markup=False)
