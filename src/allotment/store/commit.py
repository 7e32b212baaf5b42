"""Committing: what commands make of a space, written whole under the lock that its caller holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from allotment.change.commands import Command, Create, Keep
from allotment.change.kinds import CATALOG
from allotment.change.lifecycle import Policy
from allotment.errors import PreconditionFailed
from allotment.model.catalog import Catalog
from allotment.store import documents, journal, spaces
from allotment.store.journal import Entry
from allotment.store.stored import Committed, Stored, milliseconds

# Makes a change: the commands for each space, from the states of the spaces by name.
Build = Callable[[Mapping[str, Stored]], Mapping[str, Sequence[Command]]]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a change comes from, as the journal has it, and the policy it is made under."""

    who: str
    when: datetime
    dialect: str
    comment: str = ""
    policy: Policy = Policy.NATIVE


def commit(
    connection: Connection, before: Stored, commands: Sequence[Command], origin: Origin
) -> Committed:
    """Apply commands to the latest state of a space and write what comes of it.

    Where nothing changes, nothing is written, and no revision is used.
    """
    # With the first change: those who only read need none of the rules.
    from allotment.change.apply import apply  # noqa: PLC0415

    at = milliseconds(origin.when)
    change = apply(before.catalog, commands, origin.policy)
    new = change.catalog
    if new.revision == before.catalog.revision:
        return Committed(change, before)
    written = tuple(documents.changed(before, new, at, origin.who))
    documents.write(connection, before.space, written)
    entry = Entry(
        new.revision,
        origin.when,
        origin.who,
        origin.dialect,
        origin.comment,
        tuple(commands),
        change.moves,
    )
    head = journal.write(connection, before.space, entry, before.head)
    spaces.advance(connection, before.space, head)
    versions = documents.follow_versions(before.versions, written)
    return Committed(change, Stored(before.space, new, versions, head.lineage))


def check_revision(stored: Stored, revision: int | None) -> None:
    """Raise PreconditionFailed unless the catalog is at this revision, where one is given."""
    if revision not in (None, stored.catalog.revision):
        raise PreconditionFailed(
            f"the catalog is at revision {stored.catalog.revision}, and was expected at revision "
            f"{revision}; read it and decide again"
        )


def copied(catalog: Catalog) -> tuple[Command, ...]:
    """The commands that lay in an empty space what one of its project has for all of them.

    These are its flags, as they are switched, its layers and what it keeps itself; not experiments,
    nor what is said of them.
    """
    kept = (Keep(CATALOG, CATALOG, path, value) for path, value in catalog.kept)
    flags = (replace(flag, experiments=()) for flag in catalog.flags.values())
    layers = (replace(layer, reservations=()) for layer in catalog.layers.values())
    return (*map(Create, flags), *map(Create, layers), *kept)
