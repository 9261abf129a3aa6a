"""Which states an adapter went through, since when and why."""

import time
from typing import Any

import sqlalchemy as sa
from alembic import op

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels = None
depends_on = None

BEFORE = "before states were kept"


def upgrade() -> None:
    """Apply this step; what is known of earlier states becomes their history."""
    history = op.create_table(
        "adapter_history",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("adapter_id", sa.String(128), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("by", sa.String(64), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("adapter_history_by_adapter", "adapter_history", ["tenant", "adapter_id"])
    adapters = sa.table(
        "adapter_adapters",
        *(sa.column(name) for name in ("tenant", "adapter_id", "state")),
        *(sa.column(name, sa.Float()) for name in ("created_at", "published_at")),
        sa.column("evaluation", sa.JSON()),
    )
    connection = op.get_bind()
    for row in connection.execute(sa.select(adapters)).all():
        steps = _steps(row)
        own = {"tenant": row.tenant, "adapter_id": row.adapter_id, "by": None}
        connection.execute(history.insert(), [{**own, **step} for step in steps])
        connection.execute(
            adapters.update()
            .where(adapters.c.tenant == row.tenant, adapters.c.adapter_id == row.adapter_id)
            .values(state=steps[-1]["state"])
        )


def downgrade() -> None:
    """Take this step back."""
    op.execute(
        "UPDATE adapter_adapters SET state = 'trained' WHERE state IN ('evaluated', 'published')"
    )
    op.drop_index("adapter_history_by_adapter", "adapter_history")
    op.drop_table("adapter_history")


def _steps(row: Any) -> list[dict[str, Any]]:
    """Return what an adapter's row tells of its states, the present one last."""
    steps = [{"state": "trained", "at": row.created_at, "why": "registered"}]
    if row.evaluation:
        why = f"verdict {row.evaluation.get('verdict')}"
        at = row.evaluation.get("created_at", row.created_at)
        steps.append({"state": "evaluated", "at": at, "why": why})
    if row.published_at is not None:
        steps.append({"state": "published", "at": row.published_at, "why": BEFORE})
    if row.state in ("live", "retired"):
        at = row.published_at if row.state == "live" else time.time()
        steps.append({"state": row.state, "at": at, "why": BEFORE})
    return steps
