"""`fingerpost kb sync BASE DIR`: a knowledge base synchronised with a folder.

It knows which files differ, by content and by access label; it does not know how a document is
written, nor how a folder is read (`folders`, `rules`).
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from service.api.schemas.shapes import JsonObject
from service.cli.client import Gateway, Received, segment
from service.cli.kb.adding import ENDS_ALL, EncodingOption, Plan, known_encoding, plan_labels
from service.cli.kb.bases import STORES, BaseArgument
from service.cli.kb.folders import Failure, FoundFiles, find_files, identity, read_unchanged
from service.cli.kb.outcome import Change, Outcome, print_outcome
from service.cli.kb.rules import AccessOption, AccessRules
from service.cli.kb.sources import source_of
from service.cli.kb.sync_log import SyncLog, show_last
from service.cli.output import (
    CommandFailed,
    JsonOption,
    ProgressBar,
    UrlOption,
    command_output,
)
from service.cli.replies import AcceptedReply, DocumentReply, JobReply, OutcomeReply
from service.messages.spoken import speak, spoken

T = TypeVar("T")

_AT_ONCE = 4  # uploads under way: the worker never waits for the next one

FolderArgument = Annotated[
    Path | None, typer.Argument(metavar="DIR", help="Folder to synchronise from.")
]


def sync(
    base: BaseArgument,
    folder: FolderArgument = None,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change, without changing anything.")
    ] = False,
    delete: Annotated[
        bool,
        typer.Option(
            "--delete/--no-delete",
            help="Delete documents that this folder's sync put in and that it lacks now.",
        ),
    ] = True,
    allow_empty: Annotated[
        bool,
        typer.Option(
            "--allow-empty", help="Allow an empty folder, which deletes all that it put in."
        ),
    ] = False,
    last: Annotated[
        bool, typer.Option("--last", help="Show what the last sync did (of DIR, or of any).")
    ] = False,
    source: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Name of the folder, if it was moved or several machines sync it "
            "(default: this machine and its path).",
        ),
    ] = None,
    access: AccessOption = None,
    encoding: EncodingOption = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Synchronise a knowledge base with a folder: add, replace, relabel and delete documents.

    Unchanged documents are skipped, unless they were read in another way: by an earlier release,
    in another --encoding, or by another `ocr` of the base. A file's path below the folder is its
    document id. Hidden files and those that programs leave (Thumbs.db, ~$x.docx, .DS_Store) are
    skipped and told. A file `.fingerpost-access`, with an access label a line, holds for its folder
    and below; without one a document keeps its labels, also when it is renamed.

    Deleted is only what a sync of this folder put in: documents that were uploaded, or come from
    another folder, stay. If a file fails, its document stays as it was, the other files are still
    processed, and the exit code is 3; it is 1 if all failed or the sync ended early.
    """
    with command_output(as_json) as output, closing(Gateway.find(url)) as gateway:
        name = source or (None if folder is None else source_of(folder))
        if last:
            show_last(gateway, output, base, name)
            return
        if folder is None or name is None:
            raise CommandFailed("Name the folder: kb sync BASE DIR.", code="usage")
        rules = AccessRules(access)
        here = identity(folder)
        outcome = Outcome(base, name, _files_of(folder, allow_empty), dry_run)
        root = f"{STORES}/{segment(base)}/documents"
        live = {row.reply.external_id: row.reply for row in gateway.pages(root, DocumentReply)}
        plans = plan_labels(outcome.found, rules, known_encoding(encoding))
        comparison = _compare(plans, live, outcome)
        surplus = _surplus(live, outcome) if delete else []
        if dry_run:
            for change in comparison.changes:
                outcome.record(change, change.expected_labels)
            outcome.deleted += surplus
        else:
            is_there = partial(_require_same_folder, folder, here)
            log = SyncLog(gateway, outcome)
            log.begin(comparison.contents)
            with output.progress("syncing") as bar, log.running():
                total = len(comparison.changes) + len(surplus)
                _Run(gateway, root, bar, outcome, total, log).work(comparison, surplus, is_there)
        document = outcome.as_document()
        told = OutcomeReply.model_validate(document)
        output.result(document, lambda out: print_outcome(out, told))
        if outcome.exit_code:
            raise typer.Exit(outcome.exit_code)


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
        message = f"{folder} {what}; syncing would delete every document that it put in."
        hint = "Correct the path, or use --allow-empty if this is intended."
        raise CommandFailed(message, code="empty_folder", hint=hint)
    return found


@dataclass
class _Comparison:
    """How the folder differs from the base.

    Attributes:
        changes: The files to send.
        contents: Content hash by id of unchanged documents that no sync of this folder wrote.
    """

    changes: list[Change] = field(default_factory=list)
    contents: dict[str, str] = field(default_factory=dict)


def _compare(
    plans: Sequence[Plan], live: Mapping[str, DocumentReply], outcome: Outcome
) -> _Comparison:
    """Return what differs; a file that cannot be read is recorded as failed."""
    made = _Comparison()
    for plan in plans:
        known = live.get(plan.name)
        try:
            digest = read_unchanged(plan.file, lambda opened: hashlib.file_digest(opened, "sha256"))
        except (CommandFailed, OSError) as exc:
            outcome.failed.append(Failure.of(plan.name, exc))
            continue
        if known is None:
            made.changes.append(Change(plan, None, True, False, outcome.source))
            continue
        is_new = known.content_hash != digest.hexdigest()
        was_uploaded = known.synced_from == "" and not is_new
        by = "" if was_uploaded else outcome.source
        is_outdated = known.is_outdated or not plan.is_read_as(known.encoding)
        change = Change(plan, known.access_labels, is_new, is_outdated, by)
        outcome.note_adopted(known)
        is_relabelled = set(change.expected_labels) != set(known.access_labels)
        if is_new or is_relabelled or is_outdated:
            made.changes.append(change)
            continue
        outcome.unchanged += 1
        if known.synced_from not in ("", outcome.source):
            made.contents[plan.name] = known.content_hash
    return made


def _surplus(live: Mapping[str, DocumentReply], outcome: Outcome) -> list[str]:
    """Return the documents to delete; those that this folder's sync did not write are kept."""
    lacking = {name: row for name, row in live.items() if not outcome.found.may_hold(name)}
    own = {name for name, row in lacking.items() if row.synced_from == outcome.source}
    outcome.kept = {name: row.synced_from for name, row in lacking.items() if name not in own}
    return sorted(own)


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
    log: SyncLog
    done: int = 0

    def work(
        self,
        comparison: _Comparison,
        surplus: Sequence[str],
        require_folder: Callable[[], None],
    ) -> None:
        """Send and delete."""
        labelled = [change for change in comparison.changes if change.expected_labels]
        self.send(labelled)
        self.send([change for change in comparison.changes if not change.expected_labels])
        self.delete(surplus, require_folder)

    def send(self, changes: Sequence[Change]) -> None:
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
            self.log.note()
            self.done += 1
            self.bar.show(self.done / self.total, work[future])

    def _send(self, change: Change) -> DocumentReply:
        """Send a file and return what became of it."""
        place = f"{self.root}/{segment(change.plan.name)}"
        upload = change.plan.upload()
        if change.synced_from:
            fields = {**upload.fields, "synced_from": change.synced_from}
            upload = replace(upload, fields=fields)
        accepted = self.gateway.call("PUT", place, AcceptedReply, upload=upload)
        made = _wait(self.gateway, accepted)
        return DocumentReply.model_validate(made)

    def _delete(self, name: str, require_folder: Callable[[], None]) -> None:
        require_folder()
        place = f"{self.root}/{segment(name)}"
        of_folder = {"synced_from": self.outcome.source}
        try:
            done = self.gateway.call("DELETE", place, AcceptedReply, params=of_folder)
            _wait(self.gateway, done)
        except CommandFailed as exc:
            if exc.status != 404:  # somebody else deleted it meanwhile
                raise


@contextmanager
def _threads() -> Iterator[ThreadPoolExecutor]:
    threads = ThreadPoolExecutor(
        _AT_ONCE, thread_name_prefix="sync", initializer=speak, initargs=(spoken(),)
    )
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
