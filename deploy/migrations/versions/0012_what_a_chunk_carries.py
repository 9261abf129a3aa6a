"""Header rows, pages and sheet of a chunk; what was not read of a document."""

import sqlalchemy as sa
from alembic import op

revision: str = "0012"
down_revision: str | None = "0011"
branch_labels = None
depends_on = None

OF_CHUNKS = (
    ("lead", sa.Text),
    ("page_end", sa.Integer),
    ("sheet", sa.Text),
)


def upgrade() -> None:
    """Apply this step; documents that are there have none of it until they are read again."""
    for name, kind in OF_CHUNKS:
        op.add_column("kb_chunks", sa.Column(name, kind(), nullable=True))
    op.add_column("kb_versions", sa.Column("left_out", sa.JSON(), nullable=True))


def downgrade() -> None:
    """Take this step back."""
    op.drop_column("kb_versions", "left_out")
    for name, _ in OF_CHUNKS:
        op.drop_column("kb_chunks", name)
