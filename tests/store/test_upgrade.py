"""A store of every release becomes one of this release, with all that it holds.

`released/N.sql` is the dump of a store with data that the release of schema version N wrote, and
`N.kept` that of the file of its sticky assignments, where it has one.
"""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from allotment.change.commands import Create
from allotment.change.kinds import KINDS, nouns_of
from allotment.change.references import with_users
from allotment.errors import StoreError
from allotment.model.plain import to_plain
from allotment.model.segment import Segment
from allotment.store import Scope, StickyKey, Store, Token, Version
from allotment.store.schema import VERSION, kept_metadata, metadata
from faults.mounts import read_only
from store.examples import NOON, NORDICS, commit, kept_in, sql

RELEASED = sorted((Path(__file__).parent / "released").glob("*.sql"))
DAY_MS = 86_400_001  # the steps of the dump are a day and a millisecond apart


def laid(path: Path, dump: Path) -> str:
    files = {path: dump, Path(kept_in(str(path))): dump.with_suffix(".kept")}
    for file, of_it in files.items():
        if of_it.exists():
            with closing(sqlite3.connect(file)) as connection:
                connection.executescript(of_it.read_text())
    return str(path)


@pytest.fixture(params=RELEASED, ids=lambda dump: f"released-{dump.stem}")
def released(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return laid(tmp_path / "allotment.db", request.param)


def test_there_is_a_store_of_every_earlier_version() -> None:
    assert [dump.stem for dump in RELEASED] == [str(number) for number in range(1, VERSION)]


def test_every_revision_of_a_released_store_reads_as_it_was_written(released: str) -> None:
    rows = sql(released, "SELECT kind, key, revision, body FROM document ORDER BY revision")
    (latest,) = sql(released, "SELECT revision FROM space")[0]
    with Store.open(released) as store:
        assert store.catalog().revision == latest == 8
        now: dict[tuple[str, str], object] = {}
        for revision in range(latest + 1):
            now.update(
                {
                    (k, key): json.loads(body or "null")
                    for k, key, at, body in rows
                    if at == revision
                }
            )
            catalog = store.catalog(revision)
            assert catalog.revision == revision
            assert {
                (kind, key): to_plain(noun)
                for kind in KINDS
                for key, noun in nouns_of(catalog, kind).items()
            } == {noun: body for noun, body in now.items() if body is not None}
            assert catalog.users == with_users(catalog).users


def test_the_journal_of_a_released_store_reads_as_it_was_written(released: str) -> None:
    query = "SELECT revision, at, who, comment, commands, moves FROM journal ORDER BY revision DESC"
    rows = sql(released, query)
    with Store.open(released) as store:
        entries = store.journal()
    assert len(entries) == len(rows) == 8
    for entry, (revision, at, who, comment, commands, moves) in zip(entries, rows, strict=True):
        assert (entry.revision, entry.who, entry.comment) == (revision, who, comment)
        assert entry.when.isoformat(timespec="microseconds") == at
        assert to_plain(entry.commands) == json.loads(commands)
        assert to_plain(entry.moves) == json.loads(moves)


def test_a_noun_of_a_released_store_came_and_changed_when_the_journal_says(released: str) -> None:
    first = 1_768_469_400_250
    with Store.open(released) as store:
        versions, at_five = store.read().versions, store.read(5).versions
    assert versions["flag:button"] == Version(8, first, first + 7 * DAY_MS, "ann", "cy")
    at = first + 4 * DAY_MS
    assert versions["experiment:banner"] == Version(5, at, at, "bo", "bo")
    # It was deleted at revision 6, and came anew at 7.
    assert at_five["segment:nordics"] == Version(1, first, first, "ann", "ann")
    at = first + 6 * DAY_MS
    assert versions["segment:nordics"] == Version(7, at, at, "ann", "ann")


def test_an_upgraded_store_goes_on_where_it_was(released: str) -> None:
    with Store.open(released) as store:
        assert commit(store, Create(Segment("new"))) == 9
        store.create_space("default/staging", who="", when=store.journal()[0].when)
    with Store.open(released) as again:
        assert "new" in again.catalog().segments
        assert again.spaces() == ("default/production", "default/staging")


def test_an_upgraded_store_keeps_assignments(released: str) -> None:
    sticky_key = StickyKey("checkout", 1, "ann")
    with Store.open(released) as store:
        assert store.sticky([sticky_key]) == {}
        store.keep({sticky_key: "green"}, revision=8, when=NOON)
    with Store.open(released) as again:
        assert again.sticky([sticky_key])[sticky_key].treatment == "green"


def test_kept_assignments_of_a_released_store_stay_and_are_replaced(tmp_path: Path) -> None:
    sticky_keys = [StickyKey("banner", 1, "bo"), StickyKey("banner", 1, "b\0ö")]
    with Store.open(laid(tmp_path / "allotment.db", RELEASED[2])) as store:
        there = store.sticky(sticky_keys)
        assert [there[sticky_key].treatment for sticky_key in sticky_keys] == ["green", "control"]
        now = store.keep({sticky_keys[0]: "red"}, revision=9, when=NOON, behind=there)
        assert now[sticky_keys[0]].treatments == ("green", "red")


def test_kept_assignments_of_a_released_store_move_to_a_file_of_their_own(tmp_path: Path) -> None:
    path = laid(tmp_path / "allotment.db", RELEASED[3])
    with Store.open(path) as store:
        kept = store.sticky([StickyKey("banner", 1, "bo")])
    assert [each.treatments for each in kept.values()] == [("green", "red")]
    tables = "SELECT name FROM sqlite_master WHERE name LIKE 'kept%' ORDER BY name"
    assert sql(path, tables) == []
    assert sql(kept_in(path), tables) == [("kept_assignment",), ("kept_replacement",)]
    assert sql(kept_in(path), "SELECT count(*) FROM kept_assignment") == [(2,)]


def test_a_move_of_kept_assignments_that_broke_off_is_made_good_the_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = laid(tmp_path / "allotment.db", RELEASED[3])

    def broken(*_: object) -> None:
        raise ValueError("broken off between the two files")

    with monkeypatch.context() as patch:
        patch.setattr("alembic.op.drop_table", broken)
        with pytest.raises(StoreError, match="broken off"):
            Store.open(path)
    assert sql(path, "SELECT version FROM allotment_store") == [(4,)]
    assert sql(path, "SELECT count(*) FROM kept_assignment") == [(2,)]
    with Store.open(path) as store:
        kept = store.sticky([StickyKey("banner", 1, "bo")])
    assert [each.treatments for each in kept.values()] == [("green", "red")]


def test_tokens_of_a_released_store_stay(tmp_path: Path) -> None:
    released = laid(tmp_path / "allotment.db", RELEASED[1])
    with Store.open(released) as store:
        (token,) = store.tokens()
        assert (token.id, token.revoked_at) == ("3f9a1c02", 1_769_160_600_000)
        assert store.pulse().tokens == 2


def test_tokens_of_before_are_of_an_unknown_author_and_new_ones_of_a_known_one(
    tmp_path: Path,
) -> None:
    released = laid(tmp_path / "allotment.db", RELEASED[4])
    with Store.open(released) as store:
        store.revoke_token("77c0ffee", NOON, who="ann")
        found = [(each.id, each.created_by, each.revoked_by) for each in store.tokens()]
    assert found == [("3f9a1c02", "", ""), ("77c0ffee", "", "ann")]


def test_the_last_step_is_made_on_a_store_with_tokens(database: str) -> None:
    token = Token("id", "digest", Scope.READ, "*/*", "old", 0)
    with Store.open(database) as store:
        store.add_token(token)
        commit(store, Create(NORDICS))
    for column in ("created_by", "revoked_by"):
        sql(database, f"ALTER TABLE token DROP COLUMN {column}")
    sql(database, "UPDATE allotment_store SET version = 5")
    sql(database, "UPDATE alembic_version SET version_num = '5'")
    with Store.open(database) as store:
        assert store.tokens() == (token,)
        assert store.catalog().revision == 1


def test_reading_a_released_store_upgrades_it_too(released: str) -> None:
    with Store.open(released, create=False) as store:
        assert store.catalog().revision == 8
    assert sql(released, "SELECT version FROM allotment_store") == [(VERSION,)]


def test_the_steps_lead_to_the_tables_that_the_store_uses(database: str, tmp_path: Path) -> None:
    upgraded = [laid(tmp_path / f"{dump.stem}.db", dump) for dump in RELEASED]
    for place in (database, *upgraded):
        Store.open(place).close()
        if "://" in place:
            assert differing(place, [metadata, kept_metadata]) == []
        else:
            assert differing(f"sqlite:///{place}", metadata) == []
            assert differing(f"sqlite:///{kept_in(place)}", kept_metadata) == []


def differing(url: str, wanted: object) -> list[object]:
    """What a database has and should not, or should have and has not."""
    engine = create_engine(url)
    with engine.connect() as connection:
        options = {"include_name": lambda name, kind, _: name != "alembic_version"}
        context = MigrationContext.configure(connection, opts=options)
        found = compare_metadata(context, wanted)
    engine.dispose()
    return found


OPENER = """
import sys
from allotment.store import Store
sys.stdin.read(1)
with Store.open(sys.argv[1]) as store:
    print(store.catalog().revision)
"""


def opened_at_once(database: str, processes: int = 3) -> list[str]:
    """What as many processes say that open a store at the same moment."""
    started = [
        subprocess.Popen(
            [sys.executable, "-c", OPENER, database],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(processes)
    ]
    for process in started:
        assert process.stdin is not None
        process.stdin.write("x")
        process.stdin.flush()
    return [process.communicate()[0].strip() for process in started]


def test_processes_that_upgrade_at_once_do_not_clash(released: str) -> None:
    assert opened_at_once(released) == ["8"] * 3


def test_processes_that_lay_a_store_at_once_do_not_clash(database: str) -> None:
    assert opened_at_once(database) == ["0"] * 3


def test_threads_that_lay_stores_at_once_do_not_clash(tmp_path: Path) -> None:
    def lay(number: int) -> int:
        with Store.open(tmp_path / f"{number}.db") as store:
            return commit(store, Create(NORDICS))

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(lay, range(8))) == [1] * 8


def test_an_upgrade_that_fails_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    released = laid(tmp_path / "allotment.db", RELEASED[0])
    before = sql(released, "SELECT sql FROM sqlite_master ORDER BY name")
    sql(released, "UPDATE journal SET at = 'never' WHERE revision = 3")
    with pytest.raises(StoreError, match=r"cannot be brought up to.*never"):
        Store.open(released)
    assert sql(released, "SELECT sql FROM sqlite_master ORDER BY name") == before
    sql(released, "UPDATE journal SET at = '2026-01-17T00:00:00.000000+00:00' WHERE revision = 3")
    with Store.open(released) as store:
        assert store.catalog().revision == 8


def test_a_store_of_a_later_release_is_refused_and_left_as_it_is(
    store: Store, database: str
) -> None:
    commit(store, Create(NORDICS))
    sql(database, "UPDATE allotment_store SET version = 99")
    for create in (True, False):
        with pytest.raises(StoreError, match=r"version 99.*up to \d+.*Allotment that wrote it"):
            Store.open(database, create=create)
    assert sql(database, "SELECT version FROM allotment_store") == [(99,)]


def test_a_database_of_something_else_is_refused_and_left_as_it_is(database: str) -> None:
    sql(database, "CREATE TABLE cats (name TEXT)")
    with pytest.raises(StoreError, match="not a store"):
        Store.open(database)
    with pytest.raises(Exception, match="allotment_store"):
        sql(database, "SELECT * FROM allotment_store")


def test_a_store_that_is_as_it_should_be_opens_without_alembic(database: str) -> None:
    Store.open(database).close()
    code = (
        "import sys\nfrom allotment.store import Store\n"
        "Store.open(sys.argv[1]).close()\nprint('alembic' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, database], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"


def test_a_store_that_cannot_be_upgraded_where_it_lies_says_so(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    folder.mkdir()
    path = laid(folder / "allotment.db", RELEASED[0])
    with (
        read_only(folder),
        pytest.raises(
            StoreError,
            match="schema version 1 and is brought up",
        ),
    ):
        Store.open(path, create=False)
    Store.open(path, create=False).close()


def test_a_store_that_a_later_release_brought_up_is_written_by_no_earlier_one(
    database: str,
) -> None:
    with Store.open(database) as store:
        commit(store, Create(NORDICS))
        sql(database, "UPDATE allotment_store SET version = :next", next=VERSION + 1)
        token = Token("id", "digest", Scope.READ, "*/*", "", 0, None, None)
        for write in (
            lambda: commit(store, Create(Segment("other"))),
            lambda: store.keep({StickyKey("e", 1, "u"): "a"}, revision=1, when=NOON),
            lambda: store.add_token(token),
            lambda: store.create_space("other/space", who="me", when=NOON),
        ):
            with pytest.raises(StoreError, match=f"schema version {VERSION + 1}, and this Allot"):
                write()
        assert store.catalog().revision == 1
        sql(database, "UPDATE allotment_store SET version = :own", own=VERSION)
        assert commit(store, Create(Segment("other"))) == 2
