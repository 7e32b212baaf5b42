"""Committing: what commands make of a space, written whole under the lock that its caller holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from allotment.change.apply import apply
from allotment.change.commands import Command, Create, Keep
from allotment.change.kinds import CATALOG
from allotment.change.lifecycle import Policy
from allotment.change.place import place
from allotment.errors import PreconditionFailed
from allotment.model.catalog import Catalog
from allotment.store import documents, journal, spaces
from allotment.store.journal import Entry
from allotment.store.stored import Committed, Stored, milliseconds


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


def check_expected(
    stored: Stored, nouns: Mapping[tuple[str, str], int], revision: int | None
) -> None:
    """Raise PreconditionFailed unless the nouns, and the catalog, are at these revisions.

    A noun that is expected at revision 0 must not be there.
    """
    for (kind, key), wanted in nouns.items():
        version = stored.versions.get(f"{kind}:{key}")
        there = version.revision if version else 0
        if there != wanted:
            is_at = f"is at revision {there}" if there else "is not there"
            was_at = f"at revision {wanted}" if wanted else "not to be there"
            raise PreconditionFailed(
                f"the {kind} {key!r} {is_at}, and was expected {was_at}; read it and decide anew",
                place(kind, key),
            )
    if revision not in (None, stored.catalog.revision):
        raise PreconditionFailed(
            f"the catalog is at revision {stored.catalog.revision}, and was expected at revision "
            f"{revision}; read it and decide anew"
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
