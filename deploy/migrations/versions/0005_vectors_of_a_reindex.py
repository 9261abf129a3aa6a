"""The vectors that a re-index has made so far"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply this step."""
    op.create_table(
        "kb_next_vectors",
        sa.Column("chunk_pk", sa.Integer(), nullable=False),
        sa.Column("index_pk", sa.Integer(), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.Column("is_indexed", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["chunk_pk"], ["kb_chunks.pk"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["index_pk"], ["kb_indexes.pk"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("chunk_pk"),
    )
    op.create_index("ix_kb_next_vectors_index_pk", "kb_next_vectors", ["index_pk"])


def downgrade() -> None:
    """Take this step back."""
    op.drop_table("kb_next_vectors")
    op.execute("DELETE FROM kb_indexes WHERE state = 'reindexing'")
