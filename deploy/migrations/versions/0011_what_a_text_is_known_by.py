"""Hashes of texts and samples of guarded ones, by which a text is known in another file."""

import sqlalchemy as sa
from alembic import op

from knowledge.sql.fingerprints import fingerprint

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this step; of versions whose text is gone only the bytes' hash remains."""
    op.add_column("kb_versions", sa.Column("text_hash", sa.String(64), nullable=True))
    op.create_index("kb_versions_by_content", "kb_versions", ["base_pk", "content_hash"])
    op.create_index("kb_versions_by_text", "kb_versions", ["base_pk", "text_hash"])
    pieces = op.create_table(
        "kb_guarded_pieces",
        sa.Column("document_pk", sa.Integer(), nullable=False),
        sa.Column("piece", sa.BigInteger(), nullable=False),
        sa.Column("base_pk", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["document_pk"], ["kb_documents.pk"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("document_pk", "piece"),
    )
    found_by = ["base_pk", "piece", "document_pk"]
    op.create_index("kb_guarded_pieces_by_piece", "kb_guarded_pieces", found_by)
    versions = sa.table(
        "kb_versions",
        *(sa.column(name) for name in ("pk", "base_pk", "document_pk", "text", "text_hash")),
        *(sa.column(name) for name in ("access", "state")),
    )
    live = sa.select(versions).where(versions.c.state == "active", versions.c.text.is_not(None))
    connection = op.get_bind()
    for pk in connection.scalars(live.with_only_columns(versions.c.pk)).all():
        row = connection.execute(live.where(versions.c.pk == pk)).one()
        made = fingerprint(row.text)
        filled = sa.update(versions).where(versions.c.pk == pk).values(text_hash=made.text_hash)
        connection.execute(filled)
        if row.access is not None:
            place = {"document_pk": row.document_pk, "base_pk": row.base_pk}
            connection.execute(pieces.insert(), [{**place, "piece": one} for one in made.sample])


def downgrade() -> None:
    """Take this step back."""
    op.drop_table("kb_guarded_pieces")
    op.drop_index("kb_versions_by_text", "kb_versions")
    op.drop_index("kb_versions_by_content", "kb_versions")
    op.drop_column("kb_versions", "text_hash")
