"""Whole codes and acronyms are tokens of their own: step 0015 writes the words of every chunk."""

revision: str = "0013"
down_revision: str | None = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this step: nothing changes before step 0015, which all databases reach together."""


def downgrade() -> None:
    """Take this step back: the step before reads the same table and asks for fewer tokens."""
