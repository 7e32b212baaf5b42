"""What came of an idempotency key: a request that comes again is answered from it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from sqlalchemy import Connection, delete, insert, select

from allotment.change.commands import Command
from allotment.errors import IdempotencyMismatch
from allotment.store.schema import idempotency
from allotment.store.stored import Stored

_DAY_MS: Final = 24 * 60 * 60 * 1000


@dataclass(frozen=True, slots=True)
class Once:
    """A request that may come again.

    key     names the request, the same each time it comes; the client chooses it
    digest  of what was asked: the same key with another digest is refused
    record  makes the answer to keep, for a day, of the space as the commands are about to leave it;
            it is called inside the transaction, so what it raises undoes the change
    """

    key: str
    digest: str
    record: Callable[[Stored, Sequence[Command]], bytes]


def recorded(connection: Connection, space: str, once: Once, at: int) -> bytes | None:
    """What was recorded under the key in the last day, None where it is new.

    Raises IdempotencyMismatch where something else was asked under it.
    """
    table = idempotency.c
    query = (
        select(table.digest, table.answer)
        .where(table.space == space, table.key == _kept(once.key))
        .where(table.at >= at - _DAY_MS)
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    if row.digest != once.digest:
        raise IdempotencyMismatch(
            "this idempotency key came with another request in the last 24 hours; choose a new one"
        )
    answer: bytes = row.answer
    return answer


def record(connection: Connection, space: str, once: Once, answer: bytes, at: int) -> None:
    """Keep the answer, and forget those that are more than a day old."""
    table = idempotency.c
    old = delete(idempotency).where(table.space == space, table.at < at - _DAY_MS)
    connection.execute(old)
    connection.execute(
        insert(idempotency).values(
            space=space, key=_kept(once.key), digest=once.digest, answer=answer, at=at
        )
    )


def _kept(key: str) -> str:
    """The digest of a key: text of any length fits into an index this way."""
    return sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
