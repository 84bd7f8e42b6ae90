"""Alembic's way in: runs the migrations on the connection that `graphitepager.store.migrations` hands over."""

from alembic import context

from graphitepager.store.migrations import VERSION_TABLE
from graphitepager.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata, version_table=VERSION_TABLE
)

with context.begin_transaction():
    context.run_migrations()
