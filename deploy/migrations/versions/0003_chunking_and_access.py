"""A knowledge base's own chunking, parents of chunks, and who may read a document"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply this step."""
    op.create_table(
        "kb_access",
        sa.Column("version_pk", sa.Integer(), nullable=False),
        sa.Column("label", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["version_pk"], ["kb_versions.pk"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("version_pk", "label"),
    )
    # one statement each: a table rebuilt by a batch would lose what hangs on it
    op.add_column("kb_bases", sa.Column("chunking", sa.JSON(), nullable=True))
    op.add_column("kb_versions", sa.Column("access", sa.JSON(), nullable=True))
    op.add_column("kb_chunks", sa.Column("parent_start", sa.Integer(), nullable=True))
    op.add_column("kb_chunks", sa.Column("parent_end", sa.Integer(), nullable=True))


def downgrade() -> None:
    """Take this step back."""
    op.drop_column("kb_chunks", "parent_end")
    op.drop_column("kb_chunks", "parent_start")
    op.drop_column("kb_versions", "access")
    op.drop_column("kb_bases", "chunking")
    op.drop_table("kb_access")
