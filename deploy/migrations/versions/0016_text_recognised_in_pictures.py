"""Whether text is recognised in pictures of a base, and how surely that of a chunk was."""

import sqlalchemy as sa
from alembic import op

revision: str = "0016"
down_revision: str | None = "0015"
branch_labels = None
depends_on = None

ADDED = (
    ("kb_bases", "ocr", sa.String(8)),
    ("kb_versions", "ocr", sa.String(8)),
    ("kb_chunks", "ocr_confidence", sa.Float()),
)


def upgrade() -> None:
    """Apply this step; pictures in documents that are there are read when these are sent again."""
    for table, name, kind in ADDED:
        op.add_column(table, sa.Column(name, kind, nullable=True))


def downgrade() -> None:
    """Take this step back."""
    for table, name, _ in ADDED:
        op.drop_column(table, name)
