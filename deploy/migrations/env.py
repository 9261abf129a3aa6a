"""Alembic's entry: runs the steps on the connection it is given."""

from alembic import context

from service.stores.migrations import METADATAS

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=list(METADATAS), render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
