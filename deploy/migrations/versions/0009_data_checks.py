"""What the five checks found in a use case's training rows."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply this step."""
    op.create_table(
        "data_checks",
        sa.Column("check_id", sa.String(40), nullable=False),
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("use_case", sa.String(64), nullable=False),
        sa.Column("report", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("check_id"),
    )
    op.create_index("data_checks_by_use_case", "data_checks", ["tenant", "use_case", "created_at"])


def downgrade() -> None:
    """Take this step back."""
    op.drop_index("data_checks_by_use_case", "data_checks")
    op.drop_table("data_checks")
