"""Tokens: who may call, how far, and for how long. A token's own text is never kept."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum

from sqlalchemy import Connection, insert, or_, select, update

from allotment.errors import Conflict, NotFound
from allotment.model.text import check_key, check_name
from allotment.store import schema


class Scope(StrEnum):
    """What a token is good for; each scope covers those before it."""

    ASSIGN = "assign"
    READ = "read"
    WRITE = "write"
    ADMIN = "admin"

    def covers(self, other: Scope) -> bool:
        """Whether this scope includes the other."""
        order = tuple(Scope)
        return order.index(self) >= order.index(other)


@dataclass(frozen=True, slots=True)
class Token:
    """A token in the store.

    id          what names it: for revoking it, and in the journal as who made a change
    digest      SHA-256 of the token's whole text, in hex
    space       the spaces it reaches: "project/environment", where either may be "*"
    name        what its owner calls it
    created_at  milliseconds since 1970 UTC, as are the two others; None means never
    created_by  who made it, as the journal names the author of a change; "" if unknown
    revoked_by  who revoked it, if anyone has
    """

    id: str
    digest: str
    scope: Scope
    space: str
    name: str
    created_at: int
    expires_at: int | None = None
    revoked_at: int | None = None
    created_by: str = ""
    revoked_by: str = ""

    @property
    def about(self) -> dict[str, str]:
        """What a log may say of it."""
        return {
            "token": self.id,
            "scope": str(self.scope),
            "space": self.space,
            "name": self.name,
        }


def all_tokens(connection: Connection) -> tuple[Token, ...]:
    """Every token, revoked and expired ones too, the oldest first."""
    table = schema.token
    rows = connection.execute(select(table).order_by(table.c.created_at, table.c.id))
    return tuple(Token(**{**row._asdict(), "scope": Scope(row.scope)}) for row in rows)


def add(connection: Connection, token: Token) -> None:
    """Keep a token; raises Conflict where its id or its digest is another's."""
    table = schema.token
    check_name(token.name, "$.name")
    check_key(token.id, "$.id")
    check_name(token.created_by, "$.created_by")
    _count(connection)
    taken = select(table.c.id).where(or_(table.c.id == token.id, table.c.digest == token.digest))
    if connection.execute(taken).first() is not None:
        raise Conflict(f"there is a token {token.id!r} already", "$.id")
    connection.execute(insert(table).values(asdict(token)))


def add_first(connection: Connection, token: Token) -> bool:
    """Keep a token if there has never been one; whether it is kept."""
    _count(connection)
    if connection.execute(select(schema.token.c.id).limit(1)).first() is not None:
        return False
    add(connection, token)
    return True


def revoke(connection: Connection, token_id: str, at: int, who: str) -> None:
    """End a token, for good; one that has ended keeps its time. Raises NotFound."""
    ended = {"revoked_at": at, "revoked_by": check_name(who, "$.revoked_by")}
    table = schema.token
    _count(connection)
    held = select(table.c.revoked_at).where(table.c.id == token_id)
    row = connection.execute(held).one_or_none()
    if row is None:
        raise NotFound(f"there is no token {token_id!r}", "$.id")
    if row.revoked_at is None:
        connection.execute(update(table).where(table.c.id == token_id).values(ended))


def _count(connection: Connection) -> None:
    # Counting locks the row: tokens change one after the other, and watchers see each.
    store = schema.allotment_store
    connection.execute(update(store).values(tokens=store.c.tokens + 1))
