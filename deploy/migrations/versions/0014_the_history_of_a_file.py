"""Which folder a document came from, the last run of each sync, kept versions, citations."""

import time

import sqlalchemy as sa
from alembic import op

revision: str = "0014"
down_revision: str | None = "0013"
branch_labels = None
depends_on = None

ADDED = (
    ("kb_documents", "cited_at", sa.Float),
    ("kb_versions", "synced_from", sa.Text),
    ("kb_versions", "restores", sa.Integer),
    ("kb_versions", "layout", sa.JSON),
    ("kb_bases", "citations_since", sa.Float),
)


def upgrade() -> None:
    """Apply this step; of documents that are there it is not known which sync put them in."""
    for table, name, kind in ADDED:
        op.add_column(table, sa.Column(name, kind(), nullable=True))
    op.add_column(
        "kb_bases", sa.Column("keep_versions", sa.Integer(), nullable=False, server_default="0")
    )
    bases = sa.table("kb_bases", sa.column("citations_since"))
    op.execute(sa.update(bases).values(citations_since=time.time()))
    op.create_table(
        "kb_syncs",
        sa.Column("pk", sa.Integer(), nullable=False),
        sa.Column("base_pk", sa.Integer(), nullable=False),
        sa.Column("sync_id", sa.String(64), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("began_at", sa.Float(), nullable=False),
        sa.Column("heard_at", sa.Float(), nullable=False),
        sa.Column("ended_at", sa.Float(), nullable=True),
        sa.Column("report", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["base_pk"], ["kb_bases.pk"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("pk"),
        sa.UniqueConstraint("sync_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_kb_syncs_base_pk", "kb_syncs", ["base_pk"])


def downgrade() -> None:
    """Take this step back; kept texts of replaced versions go with it."""
    op.drop_table("kb_syncs")
    op.execute(
        sa.text("UPDATE kb_versions SET text = NULL WHERE state = 'retired' AND text IS NOT NULL")
    )
    op.drop_column("kb_bases", "keep_versions")
    for table, name, _ in reversed(ADDED):
        op.drop_column(table, name)
