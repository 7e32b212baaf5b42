"""Starting while the store is away: from the last good file, or not at all."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from allotment.change.commands import Create
from allotment.errors import StoreError
from allotment.model.plain import to_plain
from allotment.model.segment import IdList, Segment
from allotment.store import Store, lastgood, location
from allotment.store.schema import DEFAULT_SPACE
from faults.away import away
from faults.history import check_history, commit, lay
from faults.readers import reading
from faults.storm import Author, Storm, check_turned_away
from faults.waiting import wait_for
from postgres import Postgres
from serving import Server, serving

RECOVERY = 5.0  # seconds

# Nothing listens there.
AWAY = "postgresql+psycopg://nobody@127.0.0.1:1/nothing?connect_timeout=2"


def saved(file: Path) -> int:
    """The revision that a last good file holds."""
    return lastgood.load(file).spaces[DEFAULT_SPACE].catalog.revision


def test_a_server_starts_from_its_last_good_file_and_catches_up_by_itself(
    tmp_path: Path, postgres: Postgres
) -> None:
    database = postgres.fresh()
    base = lay(database)
    with serving(tmp_path, database_url=database) as server:
        storm = Storm([server.client])
        with server.client() as client, reading(server.client) as reader:
            assert all(author.ask(client).is_success for author in storm.authors)
            dealt = reader.dealt()
        server.stop()
        with away(postgres):
            server.start()
            with server.client() as client, reading(server.client) as reader:
                assert reader.dealt() == dealt
                assert reader.revision == storm.last
                for author in storm.authors:
                    check_turned_away(author.ask(client))
        with server.client() as client:
            wait_for(lambda: storm.authors[0].ask(client).is_success, RECOVERY)
        storm.settle()
        check_history(database, storm, base)


@pytest.fixture(scope="module")
def two_generations(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """A last good file, and the revision of the one before it, which lies beside it."""
    folder = tmp_path_factory.mktemp("generations")
    file = folder / "last"
    lay(str(folder / "allotment.db"))
    with serving(folder, env={"ALLOTMENT_LAST_GOOD": str(file)}) as server:
        author = Author(0)
        with server.client() as client:
            for _ in range(2):
                assert author.ask(client).is_success
                revision = author.told[-1][1]
                wait_for(lambda r=revision: file.exists() and saved(file) == r, 5)
        (_, before), _ = author.told
        server.kill()
    hand_over(file)
    assert saved(folder / "last.1") == before
    return file, before


# How much there is of the file, how much of the one before it, and whether that one is served.
TORN = {
    "cut in the middle": (0.5, 1.0, True),
    "cut to nothing": (0.0, 1.0, True),
    "gone, as between two renames": (None, 1.0, True),
    "both cut": (0.5, 0.9, False),
    "both gone": (None, None, False),
}


@pytest.mark.parametrize("case", TORN)
def test_a_torn_last_good_file_is_passed_over_and_never_half_loaded(
    tmp_path: Path, two_generations: tuple[Path, int], case: str
) -> None:
    file, before = two_generations
    newest, previous, is_served = TORN[case]
    for name, share in (("last", newest), ("last.1", previous)):
        if share is not None:
            content = (file.parent / name).read_bytes()
            (tmp_path / name).write_bytes(content[: int(share * len(content))])
    with alone(tmp_path, tmp_path / "last") as server, server.client() as client:
        if not is_served:
            assert client.get("/readyz").status_code == 503
            for path in ("/v1/assign/test-0/unit", "/v1/snapshot"):
                check_turned_away(client.get(path))
            return
        assert client.get("/readyz").status_code == 200
        shown = client.get("/v1/snapshot").json()
        assert shown["revision"] == before
        assert shown["catalog"] == _stored(file.parent / "allotment.db", shown["revision"])
        with reading(server.client) as reader:
            reader.go_on()


def test_a_server_killed_while_it_writes_the_last_good_file_leaves_a_whole_one(
    tmp_path: Path,
) -> None:
    database = tmp_path / "allotment.db"
    file = tmp_path / "last"
    lay(database)
    # Some megabytes, so that writing them takes a while.
    members = IdList.of([f"member-{number}" for number in range(100_000)])
    commit(database, Create(Segment("many", include=members)))
    moment = random.Random(7)
    with serving(tmp_path, env={"ALLOTMENT_LAST_GOOD": str(file)}) as server:
        storm = Storm([server.client], range(2))
        for cycle in range(2):
            wait_for(file.exists, 10)
            with storm.blowing(may_be_cut_off=True):
                wait_for(lambda: _is_writing(file), 10, pause=0.0005)
                time.sleep(moment.uniform(0, 0.03))
                server.kill()
            folder = tmp_path / f"alone-{cycle}"
            folder.mkdir()
            hand_over(file)
            with alone(folder, file) as lone, lone.client() as client:
                shown = client.get("/v1/snapshot").json()
            assert shown["catalog"] == _stored(database, shown["revision"])
            for each in generations(file):
                each.unlink()  # they are another store's now
            server.start()


def _is_writing(file: Path) -> bool:
    """Whether there is a file beside it that is not finished."""
    return any(file.parent.glob(f"{file.name}.*.new"))


def _stored(database: Path, revision: int) -> object:
    with Store.open(database) as store:
        return to_plain(store.catalog(revision))


def generations(file: Path) -> list[Path]:
    """The last good file and the one before it, as far as they are there."""
    return [each for each in (file, file.with_name(f"{file.name}.1")) if each.exists()]


def hand_over(file: Path) -> None:
    """Make the last good file, and the one before it, those of the store that is away.

    One that is torn stays as it is.
    """
    for each in generations(file):
        with suppress(StoreError):
            found = lastgood._load(each)
            copy = file.with_name("handed-over")
            lastgood.save(copy, replace(found, store=location.name(AWAY)))
            copy.replace(each)


@contextmanager
def alone(folder: Path, file: Path) -> Iterator[Server]:
    """A server that has this last good file, and no store."""
    env = {"ALLOTMENT_LAST_GOOD": str(file)}
    with serving(folder, database_url=AWAY, env=env, until="/healthz") as server:
        yield server
