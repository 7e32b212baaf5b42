"""The rows of spaces: which there are, and the latest revision of each."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, insert, literal, select, union_all, update

from allotment.errors import Conflict, NotFound, StoreError
from allotment.model.text import check_key
from allotment.store.schema import allotment_store, space
from allotment.store.stored import Pulse


def names(connection: Connection) -> tuple[str, ...]:
    """The names of all spaces, sorted."""
    return tuple(sorted(connection.execute(select(space.c.name)).scalars()))


def latest(connection: Connection, name: str) -> int:
    """The space's latest revision; raises NotFound."""
    query = select(space.c.revision).where(space.c.name == name)
    revision: int | None = connection.execute(query).scalar()
    if revision is None:
        raise _missing(name)
    return revision


def locked(connection: Connection, wanted: Iterable[str]) -> dict[str, int]:
    """The latest revisions of spaces, which nobody else changes before this transaction ends.

    The rows are locked in the order of their names, so that two who want the same ones never wait
    for each other. Raises NotFound.
    """
    wanted = sorted(wanted)
    query = select(space).where(space.c.name.in_(wanted)).order_by(space.c.name)
    # Rows that refer to a space, as kept assignments do, need not wait: its name stays.
    query = query.with_for_update(key_share=True)
    revisions = {row.name: row.revision for row in connection.execute(query)}
    for name in wanted:
        if name not in revisions:
            raise _missing(name)
    return revisions


def advance(connection: Connection, name: str, revision: int) -> None:
    """Set the latest revision of a space that is locked."""
    connection.execute(update(space).where(space.c.name == name).values(revision=revision))


def add(connection: Connection, name: str) -> None:
    """Add an empty space, at revision 0; raises Conflict where there is one of that name."""
    project, _, environment = name.partition("/")
    check_key(project, "$.project")
    check_key(environment, "$.environment")
    hold_all(connection)
    if name in names(connection):
        raise Conflict(f"there is a space {name!r} already")
    connection.execute(insert(space).values(name=name, revision=0))


def hold_all(connection: Connection) -> None:
    """Wait for whoever adds a space or changes a token, and make the next one wait."""
    connection.execute(select(allotment_store.c.version).with_for_update())


def pulse(connection: Connection) -> Pulse:
    """The latest revision of every space, and the count of changed tokens, in one query."""
    spaces = select(space.c.name, space.c.revision)
    tokens = select(literal(""), allotment_store.c.tokens)  # no space has an empty name
    both = connection.execute(union_all(spaces, tokens))
    revisions = {row.name: row.revision for row in both}
    if "" not in revisions:
        raise StoreError("the store no longer says which version it has: it is damaged")
    return Pulse(tokens=revisions.pop(""), revisions=revisions)


def _missing(name: str) -> NotFound:
    return NotFound(f"there is no space {name!r}; `allotment space create` makes one")
