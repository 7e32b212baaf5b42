"""Laws of the store, over random catalogs and random changes: it is `apply`, and it remembers."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import strategies
from allotment.change.apply import apply
from allotment.change.commands import Command
from allotment.change.diff import diff
from allotment.change.kinds import CATALOG, KINDS, nouns_of
from allotment.change.references import with_users
from allotment.errors import AllotmentError
from allotment.model.catalog import EMPTY, Catalog
from allotment.model.keyed import Keyed
from allotment.store import Store, Stored, Version
from allotment.words.commands import line_of
from store.examples import NOON, NOON_MS

# Each example has a space of its own in the test's one database.
SPACES = (f"p{number}/production" for number in itertools.count())


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_a_store_holds_at_every_revision_what_plain_apply_makes(
    database: str, data: st.DataObject
) -> None:
    space = next(SPACES)
    with Store.open(database) as first, Store.open(database) as second:
        first.create_space(space, who="", when=NOON)
        nodes = first.at(space), second.at(space)
        history = [Stored(space)]
        made: list[tuple[Command, ...]] = []
        commands: tuple[Command, ...] = diff(EMPTY, data.draw(strategies.catalogs()))
        for turn in range(10):
            node = nodes[data.draw(st.integers(0, 1))]
            expected = model(history[-1], commands, turn)
            kept = committed(node, commands, turn)
            assert (kept is None) == (expected is None)
            if expected is not None and expected is not history[-1]:
                assert bare(kept) == bare(expected)
                assert plain(kept) == plain(expected)
                history.append(kept)
                made.append(commands)
            new = strategies.changes(history[-1].catalog)
            commands = tuple(data.draw(st.lists(new, min_size=1, max_size=3)))
        assert nodes[0].read() == nodes[1].read() == history[-1]
    with Store.open(database, space) as again:
        for revision, stored in enumerate(history):
            rebuilt = again.read(revision)
            assert rebuilt == stored
            assert plain(rebuilt) == plain(stored)
            assert rebuilt.catalog.users == with_users(rebuilt.catalog).users
        entries = again.journal()[::-1]
        assert [entry.revision for entry in entries] == list(range(1, len(history)))
        assert [entry.commands for entry in entries] == made
        assert all(line_of(command) for entry in entries for command in entry.commands)


def bare(stored: Stored | None) -> Stored | None:
    """What a store keeps without its lineage, which `apply` alone does not give."""
    return stored and replace(stored, lineage="")


def plain(stored: Stored) -> str:
    """The catalog as text, in which 1 is not true."""
    return strategies.plain(stored.catalog)


def committed(node: Store, commands: tuple[Command, ...], turn: int) -> Stored | None:
    """What a node keeps of the commands, None where they are refused."""
    when = NOON + timedelta(milliseconds=turn)
    try:
        return node.commit(commands, who=f"turn-{turn}", when=when, dialect="test").stored
    except AllotmentError:
        return None


def model(before: Stored, commands: tuple[Command, ...], turn: int) -> Stored | None:
    """What a store should make of them, by `apply` alone."""
    try:
        catalog = apply(before.catalog, commands).catalog
    except AllotmentError:
        return None
    if catalog is before.catalog:
        return before
    return replace(before, catalog=catalog, versions=Keyed(versions(before, catalog, turn)))


def versions(before: Stored, now: Catalog, turn: int) -> Iterator[tuple[str, Version]]:
    """The old version of what is the same, and a new one of what is not."""
    at, who = NOON_MS + turn, f"turn-{turn}"
    for kind in KINDS:
        for key, noun in nouns_of(now, kind).items():
            known = before.versions.get(f"{kind}:{key}")
            if known is None:
                known = Version(now.revision, at, at, who, who)
            elif noun is not nouns_of(before.catalog, kind)[key]:
                known = Version(now.revision, known.created_at, at, known.created_by, who)
            yield f"{kind}:{key}", known
    itself = f"{CATALOG}:{CATALOG}"
    known = before.versions.get(itself)
    if now.kept != before.catalog.kept:
        first = known or Version(now.revision, at, at, who, who)
        known = Version(now.revision, first.created_at, at, first.created_by, who)
    if known is not None:
        yield itself, known
