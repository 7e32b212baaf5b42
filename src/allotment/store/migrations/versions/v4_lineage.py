"""Replacements of sticky treatments, and the lineage of each revision.

A replacement is what a unit was given in place of a sticky treatment that was removed. A lineage
tells a revision from another of the same number, and an operator may adopt the store as it is.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from allotment.store.lineage import follow

revision = "4"
down_revision = "3"


def upgrade() -> None:
    """Add a table that is empty yet, and compute the lineage of every revision there is."""
    op.create_table(
        "kept_replacement",
        sa.Column("space", sa.Text, sa.ForeignKey("space.name"), nullable=False),
        sa.Column("experiment", sa.Text, nullable=False),
        sa.Column("iteration", sa.Integer, nullable=False),
        sa.Column("unit", sa.LargeBinary, nullable=False),
        sa.Column("turn", sa.Integer, nullable=False),
        sa.Column("treatment", sa.Text, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("space", "experiment", "iteration", "unit", "turn"),
        sqlite_with_rowid=False,
    )
    for table in ("space", "journal"):
        op.add_column(table, sa.Column("lineage", sa.Text, nullable=False, server_default=""))
    op.add_column(
        "allotment_store", sa.Column("adopted", sa.BigInteger, nullable=False, server_default="0")
    )
    connection = op.get_bind()
    rows = sa.table(
        "journal",
        *(sa.column(name) for name in ("space", "revision", "at", "who", "dialect", "comment")),
        sa.column("commands", sa.JSON),
        sa.column("moves", sa.JSON),
        sa.column("lineage"),
    )
    space = sa.table("space", sa.column("name"), sa.column("lineage"))
    for name in connection.execute(sa.select(space.c.name)).scalars().all():
        lineage = ""
        numbers = sa.select(rows.c.revision).where(rows.c.space == name).order_by(rows.c.revision)
        for number in connection.execute(numbers).scalars().all():
            own = (rows.c.space == name) & (rows.c.revision == number)
            row = connection.execute(sa.select(rows).where(own)).mappings().one()
            lineage = follow(lineage, dict(row))
            connection.execute(sa.update(rows).where(own).values(lineage=lineage))
        connection.execute(sa.update(space).where(space.c.name == name).values(lineage=lineage))
    op.execute("UPDATE allotment_store SET version = 4")
