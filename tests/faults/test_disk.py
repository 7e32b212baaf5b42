"""A disk that is full, or cannot be written: assignments go on, changes wait, nothing is torn."""

from __future__ import annotations

import resource
from collections.abc import Callable
from pathlib import Path

from faults.history import check_file, check_history, lay
from faults.mounts import read_only, small_disk
from faults.processes import family
from faults.readers import reading
from faults.storm import Storm, check_turned_away
from faults.waiting import wait_for
from serving import Server, serving

RECOVERY = 5.0  # seconds


def test_on_a_full_disk_assignments_go_on_and_changes_wait_for_room(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        ballast = disk / "ballast"

        def fill() -> None:
            with ballast.open("wb", buffering=0) as file:
                size = 0
                try:
                    while True:
                        size += file.write(bytes(4096))
                except OSError:
                    # Room for a few pages: so it is in the middle of a change that it runs out.
                    file.truncate(size - 5 * 4096)

        database = disk / "allotment.db"
        base = lay(str(database))
        with serving(tmp_path, database_url=f"sqlite:///{database}") as server:
            storm = _endure(server, fill, ballast.unlink)
            check_history(str(database), storm, base)
        check_file(database)


def test_under_a_limit_on_file_size_assignments_go_on_and_changes_wait(tmp_path: Path) -> None:
    """The server's own log, and its last good file, cannot grow either."""
    database = tmp_path / "allotment.db"
    base = lay(str(database))
    with serving(tmp_path) as server:

        def limit(size: int) -> None:
            for process in family(server.process.pid):
                resource.prlimit(process, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

        storm = _endure(server, lambda: limit(4096), lambda: limit(resource.RLIM_INFINITY))
        check_history(str(database), storm, base)
    check_file(database)


def test_a_folder_that_cannot_be_written_is_served_from_until_it_can_be(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    folder.mkdir()
    database = folder / "allotment.db"
    base = lay(str(database))
    with serving(tmp_path, database_url=f"sqlite:///{database}") as server:
        storm = Storm([server.client])
        with server.client() as client:
            assert all(author.ask(client).is_success for author in storm.authors)
        with reading(server.client) as reader:
            dealt = reader.dealt()
        server.stop()
        with read_only(folder):
            server.start()
            with server.client() as client, reading(server.client) as reader:
                assert reader.dealt() == dealt
                assert reader.revision == storm.last
                for author in storm.authors:
                    check_turned_away(author.ask(client))
        with server.client() as client:
            wait_for(lambda: storm.authors[0].ask(client).is_success, RECOVERY)
        storm.settle()
        check_history(str(database), storm, base)
    check_file(database)


def _endure(server: Server, break_it: Callable[[], None], mend_it: Callable[[], None]) -> Storm:
    """Have a fault come and go under a server that is read from and written to."""
    storm = Storm([server.client])
    with server.client() as client, reading(server.client) as reader:
        for author in storm.authors:
            for _ in range(author.number + 1):  # so that each dialect's changes are pending
                assert author.ask(client).is_success
        break_it()
        for author in storm.authors:
            wait_for(lambda a=author: not a.ask(client).is_success, 10, pause=0)
            check_turned_away(author.ask(client))
        assert client.get("/readyz").status_code == 200
        reader.go_on()
        mend_it()
        wait_for(lambda: storm.authors[0].ask(client).is_success, RECOVERY)
        storm.settle()
        reader.go_on()
    return storm
