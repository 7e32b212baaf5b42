"""Sticky assignments without a reference to their space, and on SQLite in a file of their own.

The rows are in that file before they are gone from this one. Where the step breaks off between the
two, it copies them again the next time.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from allotment.store.migrate import lay_beside
from allotment.store.schema import kept_assignment, kept_replacement
from allotment.store.sticky import add

revision = "5"
down_revision = "4"

_AT_ONCE = 10_000


def upgrade() -> None:
    """Move the rows, or drop what refers to the spaces."""
    config = op.get_context().config
    beside = None if config is None else config.attributes["beside"]
    if beside is not None:
        lay_beside(beside)
    for table in (kept_assignment, kept_replacement):
        if beside is None:
            op.drop_constraint(f"{table.name}_space_fkey", table.name, type_="foreignkey")
            continue
        with beside.transaction(writes=True) as connection:
            for rows in op.get_bind().execute(sa.select(table)).mappings().partitions(_AT_ONCE):
                connection.execute(add(connection, table), [dict(row) for row in rows])
        op.drop_table(table.name)
    op.execute("UPDATE allotment_store SET version = 5")
