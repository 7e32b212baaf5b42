"""For kept assignments whose treatment was removed: what each unit was given in its place."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "4"
down_revision = "3"


def upgrade() -> None:
    """Add a table, in which there is nothing yet."""
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
    op.execute("UPDATE allotment_store SET version = 4")
