"""The tenants of a home, and whom a record is about."""

import time

import sqlalchemy as sa
from alembic import op

revision: str = "0031"
down_revision: str | None = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this step; every home has the tenant `default`, and any that rows name."""
    made = op.create_table(
        "tenants",
        sa.Column("tenant", sa.String(64), primary_key=True, nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("deleting_since", sa.Float(), nullable=True),
    )
    op.bulk_insert(made, [{"tenant": "default", "created_at": time.time()}])
    op.add_column("records", sa.Column("user", sa.String(256), nullable=True))
    op.create_index("records_by_user", "records", ["tenant", "user"])


def downgrade() -> None:
    """Take this step back."""
    op.drop_index("records_by_user", "records")
    op.drop_column("records", "user")
    op.drop_table("tenants")
