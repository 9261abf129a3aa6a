"""The API key that a record's question was asked with, and the access labels searched by."""

import sqlalchemy as sa
from alembic import op

revision: str = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this step; of records of before neither is known."""
    op.add_column("records", sa.Column("key_id", sa.String(64), nullable=True))
    op.add_column("records", sa.Column("access_labels", sa.JSON(), nullable=True))


def downgrade() -> None:
    """Take this step back."""
    op.drop_column("records", "access_labels")
    op.drop_column("records", "key_id")
