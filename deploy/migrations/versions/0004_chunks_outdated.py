"""How many chunks each change of a document ended."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# The texts of old versions are gone, so an old change counts as if it had ended every chunk of
# the version before: the most it can have been, and out of the window after four weeks.
_FILL = """
UPDATE kb_versions SET chunks_outdated = CASE
    WHEN change IN ('replaced', 'deleted') THEN COALESCE((
        SELECT older.chunks FROM kb_versions AS older
        WHERE older.document_pk = kb_versions.document_pk
        AND older.version < kb_versions.version AND older.activated_at IS NOT NULL
        ORDER BY older.version DESC LIMIT 1), 0)
    ELSE 0 END
WHERE change IS NOT NULL
"""
_BY_CHANGE = ["base_pk", "activated_at"]
_ALSO_READ = ["state", "change", "chunks", "tokens", "chunks_outdated"]


def upgrade() -> None:
    """Apply this step."""
    op.add_column("kb_versions", sa.Column("chunks_outdated", sa.Integer(), nullable=True))
    op.execute(_FILL)
    op.drop_index("kb_versions_by_change", "kb_versions")
    op.create_index("kb_versions_by_change", "kb_versions", [*_BY_CHANGE, *_ALSO_READ])


def downgrade() -> None:
    """Take this step back."""
    op.drop_index("kb_versions_by_change", "kb_versions")
    op.create_index("kb_versions_by_change", "kb_versions", _BY_CHANGE)
    op.drop_column("kb_versions", "chunks_outdated")
