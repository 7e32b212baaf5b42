"""What Alembic runs to migrate: over the connection it is given, in that one's transaction."""

from __future__ import annotations

from alembic import context

from allotment.store.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
