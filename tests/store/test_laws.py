"""Laws of the store, over random catalogs and random changes."""

from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import strategies
from allotment.change.commands import Command
from allotment.change.diff import diff
from allotment.change.users import with_users
from allotment.cli.lines import line_of
from allotment.errors import AllotmentError
from allotment.model.catalog import EMPTY, Catalog
from allotment.store import Store

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_a_store_opened_again_has_every_revision_that_was_committed(data: st.DataObject) -> None:
    with TemporaryDirectory() as folder, Store.open(Path(folder) / "s.db") as store:
        commits: list[tuple[Command, ...]] = [diff(EMPTY, data.draw(strategies.catalogs()))]
        history = [store.catalog()]
        for _ in range(10):
            commits.append((data.draw(strategies.changes(_commit(store, commits[-1], history))),))
        _commit(store, commits[-1], history)
        with Store.open(Path(folder) / "s.db") as again:
            entries = again.journal()
            assert [entry.revision for entry in entries] == list(range(len(history) - 1, 0, -1))
            for revision, catalog in enumerate(history):
                rebuilt = again.catalog(revision)
                assert strategies.plain(rebuilt) == strategies.plain(catalog)
                assert rebuilt.users == with_users(rebuilt).users
            for entry in entries:
                assert entry.commands in commits
                assert all(line_of(command) for command in entry.commands)


def _commit(store: Store, commands: tuple[Command, ...], history: list[Catalog]) -> Catalog:
    """Commit what may well be refused; a new revision is added to the history."""
    try:
        new = store.commit(commands, who="", when=NOON, dialect="test").catalog
    except AllotmentError:
        return history[-1]
    if new.revision != history[-1].revision:
        history.append(new)
    return new
