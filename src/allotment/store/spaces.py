"""The rows of spaces: which there are, and the latest revision of each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sqlalchemy import Connection, insert, literal, select, union_all, update

from allotment.errors import Conflict, NotFound, StoreError
from allotment.model.text import check_key
from allotment.store.lineage import Head
from allotment.store.schema import allotment_store, journal, space
from allotment.store.stored import Pulse


def names(connection: Connection) -> tuple[str, ...]:
    """The names of all spaces, sorted."""
    return tuple(sorted(connection.execute(select(space.c.name)).scalars()))


def of_project(connection: Connection, name: str) -> list[str]:
    """The names of all spaces of a space's project, sorted."""
    project = name.partition("/")[0]
    return [each for each in names(connection) if each.partition("/")[0] == project]


def latest(connection: Connection, name: str) -> Head:
    """The space's latest revision; raises NotFound."""
    query = select(space.c.revision, space.c.lineage).where(space.c.name == name)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise _missing(name)
    return Head(*row)


def lineage_at(connection: Connection, name: str, revision: int) -> str | None:
    """The lineage of one revision of a space; None where there is no such revision."""
    own = (journal.c.space == name) & (journal.c.revision == revision)
    found: str | None = connection.execute(select(journal.c.lineage).where(own)).scalar()
    return found


def head_at(connection: Connection, name: str, revision: int) -> Head:
    """One revision of a space with its lineage; raises NotFound where there is none."""
    last = latest(connection, name).revision
    if not 0 <= revision <= last:
        raise NotFound(f"the store has the revisions 0 to {last}; {revision} is none")
    return Head(revision, lineage_at(connection, name, revision) or "")


def locked(connection: Connection, wanted: Iterable[str]) -> dict[str, Head]:
    """The latest revisions of spaces, locked until this transaction ends.

    The rows are locked in the order of their names, so that two transactions never wait
    for each other. Raises NotFound.
    """
    wanted = sorted(wanted)
    query = select(space).where(space.c.name.in_(wanted)).order_by(space.c.name)
    # Rows that refer to a space, as sticky assignments do, need not wait: its name stays.
    query = query.with_for_update(key_share=True)
    heads = {row.name: Head(row.revision, row.lineage) for row in connection.execute(query)}
    for name in wanted:
        if name not in heads:
            raise _missing(name)
    return heads


def advance(connection: Connection, name: str, head: Head) -> None:
    """Set the latest revision of a space that is locked."""
    row = update(space).where(space.c.name == name)
    connection.execute(row.values(revision=head.revision, lineage=head.lineage))


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
    """Lock the store's row: changes of spaces and tokens happen one after the other."""
    connection.execute(select(allotment_store.c.version).with_for_update())


# It is asked twenty times a second. No space has an empty name.
_PULSE: Final = union_all(
    select(space.c.name, space.c.revision, space.c.lineage, literal(0).label("adopted")),
    select(literal(""), allotment_store.c.tokens, literal(""), allotment_store.c.adopted),
)


def pulse(connection: Connection) -> Pulse:
    """The latest revision of every space, and the count of changed tokens, in one query."""
    heads: dict[str, Head] = {}
    said: tuple[int, int] | None = None
    for name, number, lineage, adopted in connection.execute(_PULSE):
        if name:
            heads[name] = Head(number, lineage)
        else:
            said = number, adopted
    if said is None:
        raise StoreError("the store no longer says which version it has: it is damaged")
    return Pulse(heads, *said)


def adopt(connection: Connection, at: int) -> None:
    """Note that an operator takes the store as it is for the right one; later than any time before.

    Every node that looks after that loads the store whole, whatever it read before.
    """
    hold_all(connection)
    before: int = connection.execute(select(allotment_store.c.adopted)).scalar_one()
    connection.execute(update(allotment_store).values(adopted=max(at, before + 1)))


def _missing(name: str) -> NotFound:
    return NotFound(f"there is no space {name!r}; `allotment space create` makes one")
