"""The tenants of a home, and whom a record is about."""

import time

import sqlalchemy as sa
from alembic import op

revision: str = "0031"
down_revision = "0030"
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
    _key_of_records("tenant", "request_id")


def _key_of_records(*columns: str) -> None:
    """Give the records another primary key: clients choose request ids, tenants may choose alike."""
    if op.get_bind().dialect.name == "sqlite":
        _write_anew(columns)
        return
    op.drop_constraint("records_pkey", "records", type_="primary")
    op.create_primary_key("records_pkey", "records", list(columns))


def _write_anew(key: tuple[str, ...]) -> None:
    """Copy the records into a table with this key: SQLite cannot change the key of one."""
    look = sa.inspect(op.get_bind())
    columns, indexes = look.get_columns("records"), look.get_indexes("records")
    for index in indexes:
        op.drop_index(str(index["name"]), "records")
    op.rename_table("records", "records_before")
    op.create_table(
        "records",
        *(sa.Column(each["name"], each["type"], nullable=each["nullable"]) for each in columns),
        sa.PrimaryKeyConstraint(*key),
    )
    names = ", ".join(f'"{each["name"]}"' for each in columns)
    op.execute(sa.text(f"INSERT INTO records ({names}) SELECT {names} FROM records_before"))
    op.drop_table("records_before")
    for index in indexes:
        op.create_index(str(index["name"]), "records", [str(one) for one in index["column_names"]])


def downgrade() -> None:
    """Take this step back; of two records with one request id the newest stays."""
    op.execute(
        sa.text(
            "DELETE FROM records WHERE EXISTS (SELECT 1 FROM records AS newer "
            "WHERE newer.request_id = records.request_id AND "
            "(newer.created_at > records.created_at OR (newer.created_at = records.created_at "
            "AND newer.tenant > records.tenant)))"
        )
    )
    _key_of_records("request_id")
    op.drop_index("records_by_user", "records")
    op.drop_column("records", "user")
    op.drop_table("tenants")
