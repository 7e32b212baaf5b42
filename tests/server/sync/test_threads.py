"""Background threads: nothing that a step meets ends one, and one that ended is seen."""

import asyncio
import re
import threading
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

import allotment
from allotment.errors import StoreError
from allotment.exposures import FileSink
from allotment.server.counters import Counters
from allotment.server.exposure_log import ExposureLog
from allotment.server.sticky.assignments import StickyAssignments
from allotment.server.sync.executor import Executor
from allotment.server.sync.node import Node
from allotment.server.sync.spaces import Spaces
from allotment.server.sync.threads import Loop, Threads
from allotment.store import Store, Stored
from hostile.operations import operations
from server.nodes import SPACE, calling, running, until

pytestmark = pytest.mark.anyio

# Every thread that a server starts, by its name.
NAMES = (
    *("watch", "save", "writes", "tokens", "reads", "past", "pages", "answers", "kept", "batch"),
    *("assignments", "exposures", "input", "end", "metrics", "scrapes", "outside"),
)


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    async with running(str(tmp_path / "a.db"), last_good=tmp_path / "good") as node:
        yield node


async def test_failures_make_the_pauses_grow_and_success_makes_them_short_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    steps: list[float] = []
    fails = threading.Event()
    fails.set()

    def step() -> None:
        steps.append(time.monotonic())
        if fails.is_set():
            raise StoreError("away")

    threads = Threads(Counters())
    loop = threads.loop("test", step, 0.01)
    loop.start()
    await until(lambda: len(steps) > 5)
    fails.clear()
    pauses = [after - before for before, after in pairwise(steps)]
    assert pauses[4] > 4 * 0.01
    begun = len(steps)
    await until(lambda: len(steps) > begun + 20)
    loop.stop()
    stopped = len(steps)
    time.sleep(0.05)
    assert len(steps) == stopped
    assert [record.getMessage() for record in caplog.records] == ["allotment-test: away"]
    assert threads.dead == {"test": 0}


async def test_a_fault_of_ours_does_not_end_a_thread_and_is_logged_with_its_trace(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def step() -> None:
        raise KeyError("oops")

    threads = Threads(Counters())
    loop = threads.loop("test", step, 0.001)
    loop.start()
    await until(lambda: threads.counters.failures["test"] > 3)
    loop.stop()
    (record,) = caplog.records
    assert record.exc_info


async def test_the_last_step_is_done_whatever_the_others_raise() -> None:
    def step() -> None:
        raise KeyError("oops")

    done: list[bool] = []
    loop = Threads(Counters()).loop("test", step, 0.001, lambda: done.append(True))
    loop.start()
    loop.stop()
    assert done == [True]


async def test_a_thread_may_stop_itself() -> None:
    threads = Threads(Counters())
    steps: list[bool] = []

    def step() -> None:
        steps.append(True)
        loop.stop()

    loop = threads.loop("test", step, 0)
    loop.start()
    await until(lambda: not loop._thread.is_alive())
    assert steps == [True]
    assert not loop.is_dead


def loops_of(node: Node, name: str) -> list[Loop]:
    """The threads of a name; those that other parts of a server start are made here."""
    known = [each for each in node.threads._loops if each.name == name]
    if known:
        return known
    if name in ("kept", "assignments"):
        StickyAssignments(node)
    elif name == "exposures":
        ExposureLog(FileSink("unused"), node.threads)
    elif name == "batch":
        Executor(name, 2, node.threads)
    else:
        node.threads.loop(name, lambda: None, 0.01)
    return loops_of(node, name)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("name", NAMES)
async def test_every_thread_outlives_what_a_step_raises_and_its_death_is_seen(
    node: Node, name: str
) -> None:
    loop = loops_of(node, name)[0]
    steps: list[bool] = []

    def fails() -> None:
        steps.append(True)
        raise ValueError("an item that nobody foresaw")

    before = node.counters.failures[name]
    loop._step = fails
    if loop._thread.ident is None:
        loop.start()
    await until(lambda: len(steps) > 2)
    assert not loop.is_dead
    assert node.counters.failures[name] >= before + 2
    async with calling(node) as client:
        assert (await client.get("/readyz")).json()["dead_threads"] == []

        def ends() -> None:
            raise SystemExit

        loop._step = ends
        await until(lambda: loop.is_dead)
        ready = await client.get("/readyz")
        assert (ready.status_code, ready.json()["status"]) == (503, "broken")
        assert ready.json()["dead_threads"] == [name]
        text = (await client.get("/metrics")).text
        assert f'allotment_threads_dead{{thread="{name}"}} 1.0' in text
        assert re.search(rf'allotment_thread_failures_total{{thread="{name}"}} [1-9]', text)


async def test_no_work_ends_the_thread_that_does_it() -> None:
    threads = Threads(Counters())
    executor = Executor("test", 1, threads)

    def fails(error: BaseException) -> None:
        raise error

    for error in (ValueError("an item"), KeyboardInterrupt(), MemoryError(), StoreError("away")):
        with pytest.raises(type(error)):
            await executor.do(lambda error=error: fails(error))
    assert await executor.do(lambda: 17) == 17
    executor.close()
    assert threads.dead == {"test": 0}


async def test_work_that_waits_is_given_up_when_the_threads_close() -> None:
    executor = Executor("test", 1, Threads(Counters()))
    goes_on = threading.Event()
    first = asyncio.ensure_future(executor.do(goes_on.wait))
    second = asyncio.ensure_future(executor.do(lambda: 17))
    await asyncio.sleep(0.05)
    threading.Timer(0.1, goes_on.set).start()
    await asyncio.to_thread(executor.close)
    assert await first
    with pytest.raises(asyncio.CancelledError):
        await second


async def test_a_space_that_cannot_be_compiled_keeps_no_other_from_being_followed(
    node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish = Spaces.publish

    def faulty(published: Spaces, stored: Stored, change: object = None) -> bool:
        if stored.space == "a/first":
            raise RecursionError("a fault of ours")
        return publish(published, stored)

    monkeypatch.setattr(Spaces, "publish", faulty)
    with Store.open(tmp_path / "a.db") as store:
        for name in ("a/first", "b/second"):
            store.create_space(name, who="test", when=datetime.now(UTC))
    await until(lambda: "b/second" in node.spaces)
    assert "a/first" not in node.spaces
    assert node.counters.failures["watch"] >= 1
    assert node.served(SPACE)


def test_only_one_place_of_the_server_starts_threads() -> None:
    server = Path(allotment.__file__).parent / "server"
    starting = re.compile(r"\b(Thread|Timer|ThreadPoolExecutor|start_new_thread)\(")
    found = {file.name for file in server.rglob("*.py") if starting.search(file.read_text())}
    assert found == {"threads.py"}


def test_the_pool_of_the_event_loop_is_used_for_the_start_and_the_end_alone() -> None:
    """Nothing watches it, and nothing bounds what waits for it."""
    server = Path(allotment.__file__).parent / "server"
    pool = re.compile(r"\b(?:to_thread|run_in_executor|run_in_threadpool|run_sync)\b")
    found = {file.name for file in server.rglob("*.py") if pool.search(file.read_text())}
    assert found == {"app.py", "node.py"}


def test_every_thread_of_the_server_is_tried_here() -> None:
    server = Path(allotment.__file__).parent / "server"
    named = re.compile(r"(?:\.loop|\bExecutor)\(\s*\"(\w+)\"")
    found = {name for file in server.rglob("*.py") for name in named.findall(file.read_text())}
    assert found == set(NAMES)


async def test_no_request_starts_a_thread_that_is_not_watched(node: Node) -> None:
    """Such as one of a framework's pool, or of the event loop's own."""
    before = {each.name for each in threading.enumerate()}
    async with calling(node) as client:
        document = (await client.get("/openapi.json")).json()
        for each in operations(document):
            url = each.url()
            body = {} if each.body is None else {"json": each.example()}
            asked = client.request(each.method, url, **body)  # type: ignore[arg-type]
            with suppress(TimeoutError):  # a stream has no end
                await asyncio.wait_for(asked, 1 if each.is_stream else None)
        long = {"unit": "u", "attributes": {"list": ["x"] * 1_000}}
        for path, more in (("/v1/assign", {}), ("/v1/resolve", {})):
            assert (await client.post(path, json=long | more)).status_code == 200
    names = {each.name for each in threading.enumerate()} - before
    assert {name for name in names if not name.startswith("allotment-")} == set()
