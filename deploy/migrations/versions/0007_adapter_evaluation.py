"""What an adapter's evaluation found, and why it was published against its verdict."""

import sqlalchemy as sa
from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this step."""
    op.add_column("adapter_adapters", sa.Column("evaluation", sa.JSON(), nullable=True))
    op.add_column("adapter_adapters", sa.Column("gate_override", sa.JSON(), nullable=True))


def downgrade() -> None:
    """Take this step back."""
    op.drop_column("adapter_adapters", "gate_override")
    op.drop_column("adapter_adapters", "evaluation")
