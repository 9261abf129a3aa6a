"""What a sync did, or would do: collected while it runs, stored as JSON, printed.

It knows the words for what became of each document; it does not know how that was done.
"""

from collections import Counter
from dataclasses import dataclass, field

from rich.console import Console

from service.api.schemas.shapes import JsonObject
from service.cli.kb.adding import Plan
from service.cli.kb.folders import Failure, FoundFiles, print_skipped
from service.cli.kb.rules import NONE
from service.cli.output import FAILED, PARTIAL
from service.cli.replies import DocumentReply, NotReadReply, OutcomeReply

Labels = tuple[str, ...]

FINISHED, PARTLY, FAILED_STATE = "finished", "partial", "failed"
MOST_NAMED = 20  # documents of unknown origin, a line each: what a screen shows beside the result


@dataclass(frozen=True, slots=True)
class Change:
    """A file to send.

    Attributes:
        plan: The file, and its labels where a rule gives them.
        labels: Those of the present version; None: there is none.
        is_new_text: Its content is not that of the present version.
        is_outdated: The present version was read in an earlier way.
        synced_from: The folder that is written with it; empty where it was uploaded as it is.
    """

    plan: Plan
    labels: Labels | None
    is_new_text: bool
    is_outdated: bool
    synced_from: str

    @property
    def expected_labels(self) -> Labels:
        """The labels of a rule, else those that the document has."""
        return (self.labels or ()) if self.plan.labels is None else self.plan.labels


@dataclass
class Outcome:
    """What a sync did, or would do with `--dry-run`.

    Attributes:
        kept: Documents that the folder does not hold and that its sync did not write, and what
            did: another folder, none (empty), not known (None).
        adopted: Documents that were another folder's and are this one's now, likewise.
    """

    base: str
    source: str
    found: FoundFiles
    dry_run: bool
    added: list[str] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    reread: list[str] = field(default_factory=list)
    relabelled: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    unchanged: int = 0
    kept: dict[str, str | None] = field(default_factory=dict)
    adopted: dict[str, str] = field(default_factory=dict)
    labels: dict[str, Labels] = field(default_factory=dict)
    left_out: dict[str, tuple[NotReadReply, ...]] = field(default_factory=dict)

    @property
    def failed(self) -> list[Failure]:
        """What failed; more is added while it runs."""
        return self.found.failed

    @property
    def state(self) -> str:
        """How it ended: `finished`, `partial` where some documents failed, `failed` where all."""
        done = [self.added, self.replaced, self.reread, self.relabelled, self.deleted]
        if not self.failed:
            return FINISHED
        return PARTLY if self.unchanged or any(done) else FAILED_STATE

    @property
    def exit_code(self) -> int:
        """The exit code that says so."""
        return {FINISHED: 0, PARTLY: PARTIAL, FAILED_STATE: FAILED}[self.state]

    def record(self, change: Change, labels: Labels) -> None:
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

    def note_adopted(self, known: DocumentReply) -> None:
        """Record that a document of another folder is in this one, and so is this one's."""
        if known.synced_from not in (None, "", self.source):
            self.adopted[known.name] = str(known.synced_from)

    def as_document(self) -> JsonObject:
        """Return what `--json` prints, and what the gateway stores."""
        origins = Counter(source for source in self.kept.values() if source)
        unknown = sorted(name for name, source in self.kept.items() if source is None)
        return {
            "knowledge_base": self.base,
            "source": self.source,
            "state": self.state,
            "dry_run": self.dry_run,
            "added": [*sorted(self.added)],
            "replaced": [*sorted(self.replaced)],
            "reread": [*sorted(self.reread)],
            "relabelled": [*sorted(self.relabelled)],
            "deleted": [*sorted(self.deleted)],
            "unchanged": self.unchanged,
            "failed": [row.as_json() for row in sorted(self.failed, key=lambda row: row.document)],
            "skipped": [*self.found.skipped_as_json()],
            "kept": {
                "uploaded": sum(source == "" for source in self.kept.values()),
                "of_other_folders": {**origins},
                "of_unknown_origin": [*unknown],
            },
            "adopted": {**Counter(self.adopted.values())},
            "access_labels": {name: [*labels] for name, labels in sorted(self.labels.items())},
            "left_out": {
                name: [part.model_dump() for part in parts]
                for name, parts in sorted(self.left_out.items())
            },
        }


def print_outcome(out: Console, told: OutcomeReply) -> None:
    """Print what a sync did, a line for each document that is not as it was."""
    changes = {
        "added": told.added,
        "replaced": told.replaced,
        "reread": told.reread,
        "relabelled": told.relabelled,
        "deleted": told.deleted,
    }
    for change, names in changes.items():
        for name in names:
            labels = told.access_labels.get(name)
            said = "" if labels is None else f"  ({', '.join(labels) or NONE})"
            out.print(f"{change:<12}{name}{said}", markup=False)
    for name, parts in told.left_out.items():
        for part in parts:
            out.print(f"{'not read':<12}{name}: {part}", markup=False)
    print_skipped(out, {row.document: row.why for row in told.skipped}, width=12)
    for row in told.failed:
        out.print(f"{'failed':<12}{row.document}: {row.error.message}", markup=False)
    _print_others(out, told)
    counts = ", ".join(f"{len(names)} {change}" for change, names in changes.items())
    would = "would be: " if told.dry_run else ""
    failed = f", {len(told.failed)} failed" if told.failed else ""
    skipped = f", {len(told.skipped)} skipped" if told.skipped else ""
    out.print(f"{would}{counts}, {told.unchanged} unchanged{skipped}{failed}", markup=False)


def _print_others(out: Console, told: OutcomeReply) -> None:
    """Print which documents changed folders, and which stay though the folder lacks them."""
    for source, number in told.adopted.items():
        out.print(f"{'taken over':<12}{number} documents of the folder {source}", markup=False)
    kept = told.kept
    for name in kept.of_unknown_origin[:MOST_NAMED]:
        why = "not known who put it in (from an earlier release); `kb rm` deletes it"
        out.print(f"{'kept':<12}{name}: {why}", markup=False)
    if (more := len(kept.of_unknown_origin) - MOST_NAMED) > 0:
        out.print(f"{'kept':<12}{more} more of unknown origin; --json names all", markup=False)
    for source, number in kept.of_other_folders.items():
        hint = "if it is this folder, moved or shared, name it by --source"
        out.print(f"{'kept':<12}{number} of the folder {source} ({hint})", markup=False)
    if kept.uploaded:
        out.print(f"{'kept':<12}{kept.uploaded} documents that no sync put in", markup=False)
