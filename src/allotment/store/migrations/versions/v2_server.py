"""For the server: times of documents, tokens, and answers kept for requests that come again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "2"
down_revision = "1"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def upgrade() -> None:
    """Add columns and tables; a document's times are those of the journal."""
    zero = sa.text("0")
    tokens = sa.Column("tokens", sa.BigInteger, nullable=False, server_default=zero)
    op.add_column("allotment_store", tokens)
    for name in ("created_at", "updated_at"):
        time = sa.Column(name, sa.BigInteger, nullable=False, server_default=zero)
        op.add_column("document", time)
    _tell_times(op.get_bind())
    op.create_table(
        "idempotency",
        sa.Column("space", sa.Text, sa.ForeignKey("space.name"), nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("answer", sa.LargeBinary, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("space", "key"),
    )
    op.create_index("idempotency_by_age", "idempotency", ["space", "at"])
    op.create_table(
        "token",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("digest", sa.Text, nullable=False, unique=True),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("space", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger),
        sa.Column("revoked_at", sa.BigInteger),
    )
    op.execute("UPDATE allotment_store SET version = 2")


def _tell_times(connection: sa.Connection) -> None:
    """A version came when its revision did; its noun, when the first after a deletion did."""
    journal = sa.table("journal", *map(sa.column, ("space", "revision", "at")))
    came = {
        (space, revision): (datetime.fromisoformat(at) - _EPOCH) // _MILLISECOND
        for space, revision, at in connection.execute(sa.select(journal))
    }
    document = sa.table(
        "document", *map(sa.column, ("space", "kind", "key", "revision", "body")),
        sa.column("created_at"), sa.column("updated_at"),
    )  # fmt: skip
    noun = (document.c.space, document.c.kind, document.c.key)
    versions = sa.select(*noun, document.c.revision, document.c.body.is_(None))
    created: dict[tuple[str, str, str], int] = {}
    times: list[dict[str, Any]] = []
    for space, kind, key, revision, is_gone in connection.execute(
        versions.order_by(*noun, document.c.revision)
    ):
        at = came[space, revision]
        first = created.setdefault((space, kind, key), at)
        if is_gone:
            del created[space, kind, key]
        home = {"of_space": space, "of_kind": kind, "of_key": key, "at_revision": revision}
        times.append({**home, "created": first, "updated": at})
    if times:
        connection.execute(
            sa.update(document)
            .where(document.c.space == sa.bindparam("of_space"))
            .where(document.c.kind == sa.bindparam("of_kind"))
            .where(document.c.key == sa.bindparam("of_key"))
            .where(document.c.revision == sa.bindparam("at_revision"))
            .values(created_at=sa.bindparam("created"), updated_at=sa.bindparam("updated")),
            times,
        )
