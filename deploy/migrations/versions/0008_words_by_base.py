"""Words and access labels found by their base: row ids in ranges, a column with an index"""

import sqlalchemy as sa
from alembic import op

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels = None
depends_on = None

_TOKENIZER = "tokenize='porter unicode61 remove_diacritics 2'"
_CHUNK_BITS = 40


def upgrade() -> None:
    """Apply this step."""
    # NULL until filled, then as declared: SQLite adds no NOT NULL column without a default
    with op.batch_alter_table("kb_access") as batch_op:
        batch_op.add_column(sa.Column("base_pk", sa.Integer(), nullable=True))
    op.execute(
        "UPDATE kb_access SET base_pk = "
        "(SELECT base_pk FROM kb_versions WHERE kb_versions.pk = kb_access.version_pk)"
    )
    with op.batch_alter_table("kb_access") as batch_op:
        batch_op.alter_column("base_pk", nullable=False)
        batch_op.create_index(batch_op.f("ix_kb_access_base_pk"), ["base_pk"], unique=False)
    if op.get_bind().dialect.name == "sqlite":
        _remake(
            "title, heading, body",
            f"(CAST(substr(scope, 8) AS INTEGER) << {_CHUNK_BITS}) | rowid, title, heading, body",
        )


def downgrade() -> None:
    """Take this step back."""
    if op.get_bind().dialect.name == "sqlite":
        _remake(
            "scope, title, heading, body",
            f"rowid & {(1 << _CHUNK_BITS) - 1}, 'kbscope' || (rowid >> {_CHUNK_BITS}), "
            "title, heading, body",
        )
    with op.batch_alter_table("kb_access") as batch_op:
        batch_op.drop_index(batch_op.f("ix_kb_access_base_pk"))
        batch_op.drop_column("base_pk")


def _remake(columns: str, values: str) -> None:
    """Fill a new table from the old one; ids and columns of a full-text table cannot be altered."""
    op.execute("ALTER TABLE kb_lexical RENAME TO kb_lexical_old")
    op.execute(f"CREATE VIRTUAL TABLE kb_lexical USING fts5({columns}, {_TOKENIZER})")
    op.execute(f"INSERT INTO kb_lexical (rowid, {columns}) SELECT {values} FROM kb_lexical_old")
    op.execute("DROP TABLE kb_lexical_old")
