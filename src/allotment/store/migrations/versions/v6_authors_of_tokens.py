"""Who made and who revoked a token; "" for those of before, of whom that was not kept."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "6"
down_revision = "5"


def upgrade() -> None:
    """Add the two columns."""
    for name in ("created_by", "revoked_by"):
        column = sa.Column(name, sa.Text, nullable=False, server_default=sa.text("''"))
        op.add_column("token", column)
    op.execute("UPDATE allotment_store SET version = 6")
