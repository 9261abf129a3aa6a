"""Training rows that people review."""

import sqlalchemy as sa
from alembic import op

revision: str = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this step."""
    op.create_table(
        "review_items",
        sa.Column("item_id", sa.String(40), primary_key=True),
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("batch", sa.String(200), nullable=False),
        sa.Column("row", sa.JSON(), nullable=False),
        sa.Column("row_sha256", sa.String(64), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("edited", sa.JSON(), nullable=True),
        sa.Column("edited_sha256", sa.String(64), nullable=True),
        sa.Column("note", sa.String(1000), nullable=False),
        sa.Column("reviewed_by", sa.String(64), nullable=True),
        sa.Column("reviewed_at", sa.Float(), nullable=True),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.UniqueConstraint("tenant", "row_sha256", "batch", name="review_items_once"),
    )
    op.create_index("review_items_by_status", "review_items", ["tenant", "status", "item_id"])
    op.create_index("review_items_by_batch", "review_items", ["tenant", "batch", "item_id"])
    op.create_index("review_items_by_edit", "review_items", ["tenant", "edited_sha256"])


def downgrade() -> None:
    """Take this step back."""
    op.drop_table("review_items")
