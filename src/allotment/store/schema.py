"""The tables as they are now; `migrations` leads there from each release.

In PostgreSQL all of them are in one database. A SQLite store is two files, so that sticky
assignments never wait for a change of the catalog: its own, and beside it one for `kept_metadata`.

Nothing in them is ever updated but the revision rows and what is said of tokens; documents, journal
and sticky assignments grow. A revision comes from a row that is locked, never from a sequence: a
sequence hands out numbers before their transactions commit, and a reader that follows it can pass
one by.

Text that a caller chooses freely stands in JSON, where NUL and the like are escaped, or is checked
to be text that both databases keep as it is. The JSON is text to PostgreSQL too: its `jsonb` would
refuse a NUL and round what does not fit its numbers.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)

# Raised whenever the tables or the plain form of what is in them change.
VERSION: Final = 6

# The space of a catalog whose user names none.
DEFAULT_SPACE: Final = "default/production"

metadata: Final = MetaData()
kept_metadata: Final = MetaData()

# One row: which version of this schema the store has, how often its tokens changed, and when an
# operator last said that its history is the right one, in milliseconds since 1970 UTC.
allotment_store: Final = Table(
    "allotment_store",
    metadata,
    Column("version", Integer, primary_key=True),
    Column("tokens", BigInteger, nullable=False, server_default=text("0")),
    Column("adopted", BigInteger, nullable=False, server_default=text("0")),
)

# One row a space: its latest revision, and the lineage of that. A commit locks this row.
space: Final = Table(
    "space",
    metadata,
    Column("name", Text, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("lineage", Text, nullable=False, server_default=text("''")),
)

# Each noun as it was from a revision on: its plain form, or null where it was deleted. The times
# are milliseconds since 1970 UTC: when the noun came, and when this version of it did.
document: Final = Table(
    "document",
    metadata,
    Column("space", Text, ForeignKey("space.name"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("body", JSON(none_as_null=True)),
    Column("created_at", BigInteger, nullable=False, server_default=text("0")),
    Column("updated_at", BigInteger, nullable=False, server_default=text("0")),
    PrimaryKeyConstraint("space", "kind", "key", "revision"),
    Index("document_by_revision", "space", "revision"),  # what is new since one
)

# What led to each revision. `at` is UTC, ISO 8601 with microseconds, so that text sorts as time.
journal: Final = Table(
    "journal",
    metadata,
    Column("space", Text, ForeignKey("space.name"), nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("at", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("dialect", Text, nullable=False),
    Column("comment", Text, nullable=False),
    Column("commands", JSON, nullable=False),
    Column("moves", JSON, nullable=False),
    Column("lineage", Text, nullable=False, server_default=text("''")),
    PrimaryKeyConstraint("space", "revision"),
)

# What was answered to a request that may come again. `key` is the SHA-256, in hex, of the one that
# names it; `at` is in milliseconds since 1970 UTC.
idempotency: Final = Table(
    "idempotency",
    metadata,
    Column("space", Text, ForeignKey("space.name"), nullable=False),
    Column("key", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("answer", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
    PrimaryKeyConstraint("space", "key"),
    Index("idempotency_by_age", "space", "at"),
)

# Who may call; the three times in milliseconds since 1970 UTC. Who made a token and who revoked it
# are as in the journal; "" for one made or revoked before that was kept.
token: Final = Table(
    "token",
    metadata,
    Column("id", Text, primary_key=True),
    Column("digest", Text, nullable=False, unique=True),
    Column("scope", Text, nullable=False),
    Column("space", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("revoked_at", BigInteger),
    Column("created_by", Text, nullable=False, server_default=text("''")),
    Column("revoked_by", Text, nullable=False, server_default=text("''")),
)

# The treatment that a unit was given first in an iteration of an experiment that keeps assignments.
# `unit` is the UTF-8 of its key, which may hold what PostgreSQL's text does not; `revision` is the
# one it was decided at, `at` is in milliseconds since 1970 UTC. The rows lie in the primary key
# itself: there may be very many of them.
kept_assignment: Final = Table(
    "kept_assignment",
    kept_metadata,
    Column("space", Text, nullable=False),
    Column("experiment", Text, nullable=False),
    Column("iteration", Integer, nullable=False),
    Column("unit", LargeBinary, nullable=False),
    Column("treatment", Text, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    PrimaryKeyConstraint("space", "experiment", "iteration", "unit"),
    sqlite_with_rowid=False,
)

# What stands in for a sticky treatment that the iteration no longer has, and for that in its turn:
# 1, 2 and so on, each added behind those that are there.
kept_replacement: Final = Table(
    "kept_replacement",
    kept_metadata,
    Column("space", Text, nullable=False),
    Column("experiment", Text, nullable=False),
    Column("iteration", Integer, nullable=False),
    Column("unit", LargeBinary, nullable=False),
    Column("turn", Integer, nullable=False),
    Column("treatment", Text, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    PrimaryKeyConstraint("space", "experiment", "iteration", "unit", "turn"),
    sqlite_with_rowid=False,
)
