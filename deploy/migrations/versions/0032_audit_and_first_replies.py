"""The audit log, first replies under an idempotency key, and the API key of a job."""

import sqlalchemy as sa
from alembic import op

revision: str = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

FIXED = ("seq", "created_at", "via", "action", "kind", "redacts", "names_sha256", "previous")
NAMES = ("salt", "tenant", "key_id", "object_id", "before", "after")
KEPT = " AND ".join(f'NEW."{name}" = OLD."{name}"' for name in (*FIXED, "hash"))
TAKEN = " AND ".join(f'NEW."{name}" IS NULL' for name in NAMES)
REDACTION = f"OLD.redacted_by IS NULL AND NEW.redacted_by IS NOT NULL AND {KEPT} AND {TAKEN}"
REFUSAL = "the audit log is append-only"
TRIGGERS = {
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


def upgrade() -> None:
    """Apply this step; changes of before are in no log."""
    op.create_table(
        "audit_log",
        sa.Column("seq", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("via", sa.String(8), nullable=False),
        sa.Column("action", sa.String(200), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("redacts", sa.Integer(), nullable=False),
        sa.Column("names_sha256", sa.String(64), nullable=False),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("salt", sa.String(32), nullable=True),
        sa.Column("tenant", sa.String(64), nullable=True),
        sa.Column("key_id", sa.String(64), nullable=True),
        sa.Column("object_id", sa.String(600), nullable=True),
        sa.Column("before", sa.String(64), nullable=True),
        sa.Column("after", sa.String(64), nullable=True),
        sa.Column("redacted_by", sa.Integer(), nullable=True),
    )
    op.create_index("audit_log_by_tenant", "audit_log", ["tenant", "seq"])
    op.create_index("audit_log_by_object", "audit_log", ["tenant", "kind", "object_id", "seq"])
    for statement in TRIGGERS[op.get_bind().dialect.name]:
        op.execute(statement)
    op.create_table(
        "first_replies",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("key_id", sa.String(64), nullable=True),
        sa.Column("user", sa.String(256), nullable=True),
        sa.Column("request_sha256", sa.String(64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("headers", sa.JSON(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("changed_at", sa.Float(), nullable=False),
    )
    op.create_index("first_replies_by_user", "first_replies", ["tenant", "user"])
    op.create_index("first_replies_by_age", "first_replies", ["changed_at"])
    op.add_column("jobs", sa.Column("key_id", sa.String(64), nullable=True))


def downgrade() -> None:
    """Take this step back."""
    op.drop_column("jobs", "key_id")
    op.drop_table("first_replies")
    op.drop_table("audit_log")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_log_refuse()")
