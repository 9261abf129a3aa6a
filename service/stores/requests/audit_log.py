"""The audit log: every change, who made it and when; rows are only ever added.

It knows a table and its chain; it does not know requests or commands. Triggers refuse every other
write, with one exception: the removal of a tenant takes the names and digests out of its rows.
"""

import secrets
import time
from collections.abc import Iterator
from dataclasses import replace

from sqlalchemy import (
    DDL,
    Column,
    Connection,
    Float,
    Index,
    Integer,
    String,
    Table,
    event,
    select,
    text,
    update,
)

from service.stores.database import Database
from service.stores.requests.chain import (
    BEGINNING,
    AuditRow,
    Change,
    Verification,
    digest_of_names,
    hash_of,
    verify,
)
from service.stores.tables import metadata
from service.stores.tenancy.tenants import KEPT_AFTER_DELETION

SALT_BYTES = 16
MOST_CHARS = 600  # of an object's id: a base's and a document's, 64 and 512 characters
READ_AT_ONCE = 1000

audit_log = Table(
    "audit_log",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("created_at", Float, nullable=False),
    Column("via", String(8), nullable=False),
    Column("action", String(200), nullable=False),
    Column("kind", String(64), nullable=False),
    Column("redacts", Integer, nullable=False),
    Column("names_sha256", String(64), nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Column("salt", String(32), nullable=True),
    Column("tenant", String(64), nullable=True),
    Column("key_id", String(64), nullable=True),
    Column("object_id", String(MOST_CHARS), nullable=True),
    Column("before", String(64), nullable=True),
    Column("after", String(64), nullable=True),
    Column("redacted_by", Integer, nullable=True),
    Index("audit_log_by_tenant", "tenant", "seq"),
    Index("audit_log_by_object", "tenant", "kind", "object_id", "seq"),
    info={KEPT_AFTER_DELETION: True},  # `AuditLog.redact` takes the names out of its rows
)

FIXED = ("seq", "created_at", "via", "action", "kind", "redacts", "names_sha256", "previous")
NAMES = ("salt", "tenant", "key_id", "object_id", "before", "after")
_KEPT = " AND ".join(f'NEW."{name}" = OLD."{name}"' for name in (*FIXED, "hash"))
_TAKEN = " AND ".join(f'NEW."{name}" IS NULL' for name in NAMES)
REDACTION = f"OLD.redacted_by IS NULL AND NEW.redacted_by IS NOT NULL AND {_KEPT} AND {_TAKEN}"
REFUSAL = "the audit log is append-only"

TRIGGERS: dict[str, tuple[str, ...]] = {
    "sqlite": (
        f"CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log "
        f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END",
        f"CREATE TRIGGER audit_log_no_update BEFORE UPDATE ON audit_log "
        f"WHEN NOT ({REDACTION}) BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END",
        f"CREATE TRIGGER audit_log_no_replace BEFORE INSERT ON audit_log "
        f"WHEN EXISTS (SELECT 1 FROM audit_log WHERE seq = NEW.seq) "
        f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END",
    ),
    "postgresql": (
        f"CREATE OR REPLACE FUNCTION audit_log_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ "
        f"BEGIN RAISE EXCEPTION '{REFUSAL}'; END $$",
        "CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log "
        "FOR EACH ROW EXECUTE FUNCTION audit_log_refuse()",
        "CREATE TRIGGER audit_log_no_truncate BEFORE TRUNCATE ON audit_log "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_log_refuse()",
        f"CREATE TRIGGER audit_log_no_update BEFORE UPDATE ON audit_log "
        f"FOR EACH ROW WHEN (NOT ({REDACTION})) EXECUTE FUNCTION audit_log_refuse()",
    ),
}
"""By database: what refuses every write but an added row and a redaction; made with the table."""

for _dialect, _statements in TRIGGERS.items():
    for _statement in _statements:
        _trigger = DDL(_statement)  # type: ignore[no-untyped-call]  # SQLAlchemy gives it no types
        event.listen(audit_log, "after_create", _trigger.execute_if(dialect=_dialect))


class AuditLog:
    """The audit log of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._write = database.execution_options(write=True)

    def append(self, change: Change) -> AuditRow:
        """Add a change; one without `before` gets the `after` of the object's last change."""
        with self._write.begin() as connection:
            return _append(connection, change)

    def redact(self, tenant: str, change: Change) -> AuditRow:
        """Add `change` and take names and digests out of every earlier row of `tenant`.

        Args:
            tenant: Whose rows.
            change: The removal of the tenant, told without its name; `redacts` is filled in.
        """
        with self._write.begin() as connection:
            _lock(connection)
            of_tenant = select(audit_log.c.seq).where(audit_log.c.tenant == tenant)
            found = connection.execute(of_tenant).scalars().all()
            row = _append(connection, replace(change, redacts=len(found)))
            without = dict.fromkeys(NAMES)
            connection.execute(
                update(audit_log)
                .where(audit_log.c.tenant == tenant, audit_log.c.seq < row.seq)
                .values(redacted_by=row.seq, **without)
            )
        return row

    def list(
        self,
        *,
        tenant: str | None = None,
        since: float | None = None,
        before_seq: int | None = None,
        limit: int = 100,
    ) -> tuple[AuditRow, ...]:
        """Return the newest rows first.

        Args:
            tenant: Only rows of this tenant; None: of all.
            since: Only rows from this time on, Unix seconds.
            before_seq: Only rows before this position: the last one of the previous page.
            limit: Most rows to return.
        """
        query = select(audit_log).order_by(audit_log.c.seq.desc()).limit(limit)
        if tenant is not None:
            query = query.where(audit_log.c.tenant == tenant)
        if since is not None:
            query = query.where(audit_log.c.created_at >= since)
        if before_seq is not None:
            query = query.where(audit_log.c.seq < before_seq)
        with self._database.connect() as connection:
            return tuple(AuditRow(**row._mapping) for row in connection.execute(query))

    def verify(self) -> Verification:
        """Check the whole log, as it stands at one moment."""
        with self._database.connect() as connection:
            return verify(_walk(connection))


def _walk(connection: Connection) -> Iterator[AuditRow]:
    """Yield every row by position, some at a time."""
    after = -1
    while True:
        query = select(audit_log).where(audit_log.c.seq > after)
        rows = connection.execute(query.order_by(audit_log.c.seq).limit(READ_AT_ONCE)).all()
        for row in rows:
            yield AuditRow(**row._mapping)
        if len(rows) < READ_AT_ONCE:
            return
        after = rows[-1].seq


def _append(connection: Connection, change: Change) -> AuditRow:
    _lock(connection)
    last = connection.execute(
        select(audit_log.c.seq, audit_log.c.hash).order_by(audit_log.c.seq.desc()).limit(1)
    ).one_or_none()
    change = replace(change, object_id=change.object_id[:MOST_CHARS])
    if change.before is None and change.object_id:
        change = replace(change, before=_last_digest(connection, change))
    salt = secrets.token_hex(SALT_BYTES)
    row = AuditRow(
        seq=1 if last is None else last.seq + 1,
        created_at=time.time(),
        via=change.via,
        action=change.action,
        kind=change.kind,
        redacts=change.redacts,
        names_sha256=digest_of_names(salt, change),
        previous=BEGINNING if last is None else last.hash,
        hash="",
        salt=salt,
        tenant=change.tenant,
        key_id=change.key_id,
        object_id=change.object_id,
        before=change.before,
        after=change.after,
        redacted_by=None,
    )
    row = replace(row, hash=hash_of(row))
    connection.execute(
        audit_log.insert().values({name: getattr(row, name) for name in AuditRow.__slots__})
    )
    return row


def _last_digest(connection: Connection, change: Change) -> str | None:
    query = select(audit_log.c.after).where(
        audit_log.c.tenant == change.tenant,
        audit_log.c.kind == change.kind,
        audit_log.c.object_id == change.object_id,
    )
    digest: str | None = connection.execute(
        query.order_by(audit_log.c.seq.desc()).limit(1)
    ).scalar_one_or_none()
    return digest


def _lock(connection: Connection) -> None:
    """Let one writer at a time extend the chain; SQLite's write transactions do so anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("LOCK TABLE audit_log IN SHARE ROW EXCLUSIVE MODE"))
