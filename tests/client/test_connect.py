"""An engine that follows a server, against servers that run."""

from __future__ import annotations

import asyncio
import gc
import os
import pickle
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

import allotment
from allotment.change.commands import Create, Rename
from allotment.client.following import wait_after
from allotment.errors import Forbidden, Unauthorized
from allotment.model.segment import IdList, Segment
from allotment.store import Store
from benchmarks.catalogs import catalog
from client.changing import change, proxy, shift
from faults.waiting import wait_for
from serving import SHOP, Server, free_port, serving

UNITS = [f"user-{number}" for number in range(500)]
PROMPT = 2.0  # seconds; a machine that does much else is given more than the 100 ms we promise


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("server"), catalog=SHOP) as served:
        yield served


def dealt(engine: allotment.Engine) -> list[str | None]:
    return [engine.assign("plain", unit).treatment for unit in UNITS]


def threads() -> int:
    return sum(each.name == "allotment-client" for each in threading.enumerate())


def test_it_answers_as_the_server_does_and_follows_every_change(server: Server) -> None:
    with allotment.connect(server.url) as engine, server.client() as client:
        for green in (10, 55):
            revision = shift(server, green)
            engine.wait(revision)
            body = {"experiment": "plain"}
            asked = [client.post("/v1/assign", json={"unit": u, **body}).json() for u in UNITS[:50]]
            answers = [each["assignments"]["plain"]["treatment"] for each in asked]
            assert answers == dealt(engine)[:50]
            assert engine.catalog.revision == revision


def test_a_change_is_heard_at_once(server: Server) -> None:
    with allotment.connect(server.url) as engine:
        for _ in range(5):
            began = time.monotonic()
            engine.wait(change(server), timeout=PROMPT)
            assert time.monotonic() - began < PROMPT


def test_it_says_how_it_stands_and_calls_back(server: Server) -> None:
    with allotment.connect(server.url) as engine:
        heard: list[allotment.EngineStatus] = []
        end = engine.on_change(heard.append)
        revision = change(server)
        engine.wait(revision)
        wait_for(lambda: heard, PROMPT)
        assert (heard[0].revision, heard[0].source, heard[0].error) == (revision, "server", None)
        assert heard[0].age_seconds < PROMPT
        end()
        engine.wait(change(server))
        assert len(heard) == 1


def test_a_callback_that_fails_stops_nothing(server: Server) -> None:
    def fail(_: allotment.EngineStatus) -> None:
        raise RuntimeError("the application's own fault")

    with allotment.connect(server.url) as engine:
        engine.on_change(fail)
        engine.wait(change(server))
        engine.wait(change(server))


def test_waiting_for_what_does_not_come_ends_in_time(server: Server) -> None:
    with allotment.connect(server.url) as engine, pytest.raises(TimeoutError, match="is not here"):
        engine.wait(10**9, timeout=0.05)


def test_a_server_that_is_killed_under_load_costs_no_answer(tmp_path: Path) -> None:
    with serving(tmp_path, catalog=SHOP) as server, allotment.connect(server.url) as engine:
        revisions: list[int] = []
        done = threading.Event()

        def ask() -> None:
            while not done.is_set():
                given = engine.assign("plain", "user-1")
                assert given.treatment is not None
                revisions.append(engine.snapshot.revision)
                time.sleep(0.0005)

        caller = threading.Thread(target=ask)
        caller.start()
        try:
            before = dealt(engine)
            server.kill()
            assert dealt(engine) == before
            server.start()
            for _ in range(3):
                engine.wait(change(server), timeout=30)
        finally:
            done.set()
            caller.join()
        assert revisions == sorted(revisions)
        assert engine.status().error is None


def test_it_starts_from_its_last_good_file_while_the_server_is_away(tmp_path: Path) -> None:
    file = tmp_path / "last-good"
    with serving(tmp_path, catalog=SHOP) as server:
        with allotment.connect(server.url, last_good=file) as engine:
            engine.wait(shift(server, 33))
            known = dealt(engine), engine.snapshot.fingerprint, engine.snapshot.revision
        server.stop()
        os.utime(file, (time.time() - 3600,) * 2)
        with allotment.connect(server.url, last_good=file, timeout=5) as engine:
            assert (dealt(engine), engine.snapshot.fingerprint, engine.snapshot.revision) == known
            status = engine.status()
            assert status.source == "last good"
            assert status.age_seconds >= 3600
            assert "cannot be reached" in str(status.error)
            server.start()
            engine.wait(change(server), timeout=60)
            assert engine.status().source == "server"


def test_a_file_written_in_the_future_is_not_of_a_negative_age(tmp_path: Path) -> None:
    file = tmp_path / "last-good"
    with serving(tmp_path, catalog=SHOP) as server:
        allotment.connect(server.url, last_good=file).close()
        server.stop()
        os.utime(file, (time.time() + 3600,) * 2)
        with allotment.connect(server.url, last_good=file) as engine:
            assert 0 <= engine.status().age_seconds < 60


def test_a_torn_file_is_passed_over_for_the_one_before_it(tmp_path: Path) -> None:
    file = tmp_path / "last-good"
    with serving(tmp_path, catalog=SHOP) as server:
        allotment.connect(server.url, last_good=file).close()
        first = file.read_bytes()
        change(server)
        allotment.connect(server.url, last_good=file).close()
        assert file.with_name("last-good.1").read_bytes() == first
        server.stop()
        file.write_bytes(file.read_bytes()[:-20])
        with allotment.connect(server.url, last_good=file) as engine:
            assert engine.status().source == "last good"
            assert dealt(engine)[0] is not None
        for each in (file, file.with_name("last-good.1")):
            each.write_bytes(b"allotment client 1 nonsense")
        with pytest.raises(allotment.StoreError, match="cannot be reached"):
            allotment.connect(server.url, last_good=file, timeout=0.3)


def test_the_file_of_another_server_is_refused(server: Server, tmp_path: Path) -> None:
    file = tmp_path / "last-good"
    allotment.connect(server.url, last_good=file).close()
    before = file.read_bytes()
    with pytest.raises(allotment.InvalidInput, match=r"is of http://127.*, and not of http://else"):
        allotment.connect("http://elsewhere.invalid", last_good=file)
    assert file.read_bytes() == before
    assert threads() == 0


def test_without_a_server_and_a_file_it_says_so_or_begins_with_nothing(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(allotment.StoreError, match="cannot be reached"):
        allotment.connect(url, timeout=0.3)
    assert threads() == 0
    with serving(tmp_path, catalog=SHOP) as server:
        server.stop()
        with allotment.connect(server.url, timeout=0) as engine:
            assert engine.assign("plain", "user-1").reason is allotment.Reason.UNKNOWN_EXPERIMENT
            assert (engine.status().revision, engine.status().source) == (0, "none")
            server.start()
            wait_for(lambda: engine.status().source == "server", 60)
            assert engine.assign("plain", "user-1").treatment is not None


@pytest.mark.parametrize("url", ["localhost:8080", "http://", "http://user:pass@host", "ftp://x"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(allotment.InvalidInput, match="http://HOST:PORT"):
        allotment.connect(url)


def test_a_token_that_holds_no_more_is_said_and_the_catalog_goes_on(tmp_path: Path) -> None:
    with serving(tmp_path, catalog=SHOP, insecure_local=False) as server:
        admin = server.token()
        with pytest.raises(Unauthorized, match="not known"):
            allotment.connect(server.url, token="allot_made-up")
        with pytest.raises(Forbidden, match="scope"):
            allotment.connect(server.url, token=server.token("assign"))
        with pytest.raises(Forbidden, match="another space"):
            allotment.connect(server.url, token=admin, space="other/space")
        with server.client(token=admin) as client:
            made = client.post("/v1/tokens", json={"scope": "read", "name": "app"}).json()
            with allotment.connect(server.url, token=made["token"], poll_seconds=0.2) as engine:
                engine.wait(change(server, admin))
                known = dealt(engine)
                assert client.delete(f"/v1/tokens/{made['id']}").is_success
                wait_for(lambda: engine.status().error, 10)
                assert "revoked" in str(engine.status().error)
                assert dealt(engine) == known


@pytest.mark.parametrize("streams", ["held", "cut"])
def test_behind_a_proxy_that_holds_or_cuts_streams_it_follows_by_asking(
    streams: str, server: Server
) -> None:
    with (
        proxy(server, streams=streams) as url,
        allotment.connect(url, poll_seconds=0.2) as engine,
    ):
        for _ in range(3):
            engine.wait(change(server), timeout=5)
        assert engine.status().error is None


def test_a_catalog_that_grows_by_thousands_is_followed(tmp_path: Path) -> None:
    with serving(tmp_path, catalog=SHOP) as server, allotment.connect(server.url) as engine:
        with Store.open(server.database) as store:
            grown = catalog(2_000)
            nouns = [*grown.segments.values(), *grown.experiments.values()]
            commands = [Create(each) for each in nouns]
            done = store.commit(commands, who="test", when=datetime.now(UTC), dialect="native")
        engine.wait(done.stored.catalog.revision, timeout=30)
        assert len(engine.catalog.experiments) > 2_000
        with server.client() as client:
            sent = client.get("/v1/changes").json()["fingerprint"]
        assert f"{engine.snapshot.fingerprint:032x}" == sent


def test_a_long_list_travels_once(tmp_path: Path) -> None:
    def fetched() -> int:
        return server.log.count("/v1/lists/")

    ids = IdList.of(f"customer-{number}" for number in range(50_000))
    segment = Segment("customers", include=ids)
    env = {"ALLOTMENT_ACCESS_LOG": "true"}
    with serving(tmp_path, catalog=SHOP, env=env) as server:
        with Store.open(server.database) as store, allotment.connect(server.url) as engine:
            for command in (
                Create(segment),
                Rename("segment", "customers", "Customers"),
                Create(replace(segment, key="the-same")),
            ):
                done = store.commit([command], who="test", when=datetime.now(UTC), dialect="native")
                engine.wait(done.stored.catalog.revision, timeout=30)
            assert engine.catalog.segments["the-same"].include == ids
        wait_for(fetched, PROMPT)
        assert fetched() == 1


def test_a_child_of_a_fork_follows_by_itself(server: Server) -> None:
    with allotment.connect(server.url) as engine:
        ready, told = os.pipe(), os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.write(ready[1], b".")
                revision = int(os.read(told[0], 20))
                engine.wait(revision, timeout=20)
                os._exit(0 if threads() == 1 else 2)
            finally:
                os._exit(1)
        os.read(ready[0], 1)
        revision = change(server)
        os.write(told[1], b"%d" % revision)
        assert os.waitpid(child, 0)[1] == 0
        engine.wait(revision)
        for each in (*ready, *told):
            os.close(each)


def test_an_event_loop_of_the_application_is_not_held(server: Server) -> None:
    async def application() -> None:
        with await asyncio.to_thread(allotment.connect, server.url) as engine:
            revision = await asyncio.to_thread(change, server)
            await asyncio.to_thread(engine.wait, revision)
            assert engine.assign("plain", "user-1").treatment is not None

    asyncio.run(application())


def test_a_pickled_one_stays_at_its_revision(server: Server) -> None:
    with allotment.connect(server.url) as engine:
        copy = pickle.loads(pickle.dumps(engine))
        assert type(copy) is allotment.Engine
        assert dealt(copy) == dealt(engine)


def test_closing_it_or_dropping_it_ends_its_thread(server: Server) -> None:
    engine = allotment.connect(server.url)
    engine.close()
    engine.close()
    assert threads() == 0
    assert engine.assign("plain", "user-1").treatment is not None
    dropped = allotment.connect(server.url)
    assert threads() == 1
    del dropped
    gc.collect()
    wait_for(lambda: threads() == 0, PROMPT)


def test_waits_grow_to_a_ceiling_and_are_random() -> None:
    assert all(0 <= wait_after(1) <= 1 for _ in range(100))
    late = [wait_after(50) for _ in range(200)]
    assert max(late) <= 30
    assert max(late) > 20
    assert min(late) < 10
