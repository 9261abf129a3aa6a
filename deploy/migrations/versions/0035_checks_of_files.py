"""What the checks of an uploaded file of training rows found, and the job that makes them."""

import sqlalchemy as sa
from alembic import op

revision: str = "0035"
down_revision: str | None = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this step; files that are there are checked when they are uploaded again."""
    op.add_column("files", sa.Column("check_job", sa.String(40), nullable=True))
    op.add_column("files", sa.Column("check_report", sa.JSON(), nullable=True))


def downgrade() -> None:
    """Take this step back."""
    op.drop_column("files", "check_report")
    op.drop_column("files", "check_job")
