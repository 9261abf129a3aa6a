"""The subject of a job"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply this step."""
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.add_column(sa.Column("subject", sa.String(length=600), nullable=True))
        batch_op.create_index("jobs_by_subject", ["subject", "status"], unique=False)


def downgrade() -> None:
    """Take this step back."""
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.drop_index("jobs_by_subject")
        batch_op.drop_column("subject")
