"""The trace of a decision, and what an observed policy would have done"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply this step."""
    op.add_column("records", sa.Column("trace", sa.LargeBinary(), nullable=True))
    op.add_column("records", sa.Column("observed", sa.JSON(), nullable=True))


def downgrade() -> None:
    """Take this step back."""
    op.drop_column("records", "observed")
    op.drop_column("records", "trace")
