"""The tables. Nothing in them is ever updated but the revision row; documents and journal grow.

A revision comes from a row that is locked, never from a sequence: a sequence hands out numbers
before their transactions commit, and a reader that follows it can pass one by.
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
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
)

# Raised whenever the tables or the plain form of what is in them change.
VERSION: Final = 1

# The space of a catalog whose user names none.
DEFAULT_SPACE: Final = "default/production"

metadata: Final = MetaData()

# Which version of this schema the store has: one row.
allotment_store: Final = Table(
    "allotment_store", metadata, Column("version", Integer, primary_key=True)
)

# One row a space: its latest revision. Whoever commits holds this row.
space: Final = Table(
    "space",
    metadata,
    Column("name", Text, primary_key=True),
    Column("revision", BigInteger, nullable=False),
)

# Each noun as it was from a revision on: its plain form, or null where it was deleted.
document: Final = Table(
    "document",
    metadata,
    Column("space", Text, ForeignKey("space.name"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("body", JSON(none_as_null=True)),
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
    PrimaryKeyConstraint("space", "revision"),
)
