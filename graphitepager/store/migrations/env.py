"""Alembic's way in: runs the migrations on the connection that `graphitepager.store.migrations` hands over."""

from alembic import context

from graphitepager.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)

with context.begin_transaction():
    context.run_migrations()
