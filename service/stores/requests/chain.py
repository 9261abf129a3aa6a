"""The hash chain of the audit log: what a row's hash covers, and the check of all rows.

It knows values; it does not know the database. Names and digests can be taken out of a row when a
tenant is removed, so the hash covers a digest of them and not the names: the chain of a redacted
row can still be checked. The digest is salted, and the salt goes with the names; otherwise short
names could be guessed from it.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Via = Literal["http", "command"]

BEGINNING = "0" * 64  # what the first row names as the hash before it


@dataclass(frozen=True, slots=True)
class Change:
    """A change that somebody made.

    Attributes:
        tenant: Whose data was changed; empty: of the whole installation.
        key_id: The API key of the request; None without one.
        via: A request, or a command on this machine.
        action: Method and path of the route, or the words of the command.
        kind: What was changed, such as `use_cases`.
        object_id: Which one; empty where the action names none.
        before: SHA-256 of what was there; None: nothing, or not known.
        after: SHA-256 of what is there now; None: nothing, or not known.
        redacts: How many earlier rows lost their names with this change.
    """

    tenant: str
    key_id: str | None
    via: Via
    action: str
    kind: str
    object_id: str = ""
    before: str | None = None
    after: str | None = None
    redacts: int = 0


@dataclass(frozen=True, slots=True)
class AuditRow:
    """A row of the audit log; the fields that can be redacted are None once they are.

    Attributes:
        seq: Position in the log, from 1.
        created_at: Unix seconds.
        via: As in `Change`, like `action`, `kind` and `redacts`.
        names_sha256: Digest of the names, `digest_of_names`.
        previous: Hash of the row before.
        hash: Hash of this row, `hash_of`.
        redacted_by: Position of the row whose change redacted this one.
    """

    seq: int
    created_at: float
    via: str
    action: str
    kind: str
    redacts: int
    names_sha256: str
    previous: str
    hash: str
    salt: str | None
    tenant: str | None
    key_id: str | None
    object_id: str | None
    before: str | None
    after: str | None
    redacted_by: int | None


@dataclass(frozen=True, slots=True)
class Verification:
    """The result of checking the log.

    Attributes:
        rows: How many rows were found to be in order.
        redacted: How many of them have lost their names.
        head: Hash of the last of these rows. Rows cut off at the end leave a shorter, valid
            chain: only a `head` noted elsewhere shows that.
        first_changed: Position of the first row that is not as it was written; None: all are.
        problem: What is wrong with that row.
    """

    rows: int
    redacted: int
    head: str
    first_changed: int | None = None
    problem: str | None = None


def digest_of_names(salt: str, change: Change) -> str:
    """Return the digest of what can be redacted in a row."""
    names = (change.tenant, change.key_id, change.object_id, change.before, change.after)
    return _sha256(salt, *names)


def hash_of(row: AuditRow) -> str:
    """Return the hash that the row must have; it does not cover what can be redacted."""
    fixed = (row.seq, row.created_at, row.via, row.action, row.kind, row.redacts)
    return _sha256(*fixed, row.names_sha256, row.previous)


def verify(rows: Iterable[AuditRow]) -> Verification:
    """Check rows in the order of their positions, from the first row of the log on."""
    good, redacted, head = 0, Counter[int](), BEGINNING
    announced: dict[int, int] = {}
    for row in rows:
        problem = _problem(row, seq=good + 1, previous=head)
        if problem is not None:
            return Verification(good, redacted.total(), head, good + 1, problem)
        good, head = row.seq, row.hash
        if row.redacts:
            announced[row.seq] = row.redacts
        if row.redacted_by is not None:
            redacted[row.redacted_by] += 1
    for seq in sorted({*announced, *redacted}):
        if announced.get(seq, 0) != redacted[seq]:
            problem = (
                f"row {seq} says that it redacted {announced.get(seq, 0)} rows, "
                f"and {redacted[seq]} rows name it"
            )
            return Verification(good, redacted.total(), head, min(seq, good), problem)
    return Verification(good, redacted.total(), head)


def _problem(row: AuditRow, *, seq: int, previous: str) -> str | None:
    if row.seq != seq:
        return f"row {seq} is missing"
    if row.previous != previous:
        return "it does not name the hash of the row before it: one of the two was changed"
    if row.hash != hash_of(row):
        return "its hash does not fit its fields"
    if row.redacted_by is not None:
        names = (row.salt, row.tenant, row.key_id, row.object_id, row.before, row.after)
        return None if names == (None,) * 6 else "it is marked as redacted and has names"
    if row.salt is None or row.tenant is None or row.object_id is None:
        return "its names were removed without a redaction"
    change = Change(
        tenant=row.tenant,
        key_id=row.key_id,
        via="http",
        action=row.action,
        kind=row.kind,
        object_id=row.object_id,
        before=row.before,
        after=row.after,
    )
    if digest_of_names(row.salt, change) != row.names_sha256:
        return "its names or digests were changed"
    return None


def _sha256(*values: object) -> str:
    text = json.dumps(values, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
