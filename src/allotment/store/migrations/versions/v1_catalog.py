"""The first release of a store: spaces, documents, journal."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "1"
down_revision = None


def upgrade() -> None:
    """Lay the tables in a database that has none, and the space of who names none."""
    store = op.create_table("allotment_store", sa.Column("version", sa.Integer, primary_key=True))
    space = op.create_table(
        "space",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("revision", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "document",
        sa.Column("space", sa.Text, sa.ForeignKey("space.name"), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("body", sa.JSON),
        sa.PrimaryKeyConstraint("space", "kind", "key", "revision"),
    )
    op.create_index("document_by_revision", "document", ["space", "revision"])
    op.create_table(
        "journal",
        sa.Column("space", sa.Text, sa.ForeignKey("space.name"), nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("dialect", sa.Text, nullable=False),
        sa.Column("comment", sa.Text, nullable=False),
        sa.Column("commands", sa.JSON, nullable=False),
        sa.Column("moves", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("space", "revision"),
    )
    op.bulk_insert(store, [{"version": 1}])
    op.bulk_insert(space, [{"name": "default/production", "revision": 0}])
