"""A server that is told to stop loses no request."""

import asyncio
import signal
import time
from collections import Counter
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from rawclient import connected, get, post
from serving import Server, serving

CATALOG = Path(__file__).parents[3] / "examples" / "serve" / "catalog.yaml"

CLIENTS = 64
REQUEST = get("/v1/assign/search-order/user-1")


class Clients:
    """Clients that keep their connections, and open another only when they are told to.

    Without `keep` each opens one for each request. `failed` are requests that were sent and not
    answered, or answered with an error. A client that finds the port closed tries again: it has
    sent nothing yet.
    """

    def __init__(self, url: str, *, keep: bool = True) -> None:
        self.address = urlsplit(url)
        self.keep = keep
        self.answered: Counter[int] = Counter()
        self.failed: list[str] = []
        self.told_to_close = 0
        self.ended = asyncio.Event()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for number in range(CLIENTS):
                group.create_task(self._run_one(0.001 * number))

    async def _run_one(self, pause: float) -> None:
        while not self.ended.is_set():
            try:
                streams = await asyncio.open_connection(self.address.hostname, self.address.port)
            except OSError:
                await asyncio.sleep(0.01)
                continue
            try:
                await self._ask_until_told(*streams, pause)
            except (OSError, EOFError) as error:
                self.failed.append(repr(error))
            finally:
                streams[1].close()

    async def _ask_until_told(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, pause: float
    ) -> None:
        while not self.ended.is_set():
            await asyncio.sleep(pause)
            writer.write(REQUEST)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
            await reader.readexactly(length)
            self.answered[int(head.split()[1])] += 1
            if b"connection: close" in head:
                self.told_to_close += 1
                return
            if not self.keep:
                return


def roll(tmp_path: Path, times: int, workers: int = 1, *, keep: bool = True) -> Clients:
    """Replace a server that has clients by another on its port, so many times."""

    async def together() -> Clients:
        first = servers.enter_context(server("0"))
        clients = Clients(first.url, keep=keep)
        asking = asyncio.create_task(clients.run())
        serves = first
        for _ in range(times):
            follows = await asyncio.to_thread(
                lambda: servers.enter_context(server(str(clients.address.port)))
            )
            assert await asyncio.to_thread(serves.stop) == 0, serves.log
            serves = follows
        clients.ended.set()
        await asking
        return clients

    def server(port: str) -> AbstractContextManager[Server]:
        folder = tmp_path / str(time.monotonic())
        folder.mkdir()
        environment = {
            "ALLOTMENT_PORT": port,
            "ALLOTMENT_REUSE_PORT": "true",
            "ALLOTMENT_DRAIN_SECONDS": "1",
        }
        return serving(folder, workers=workers, catalog=CATALOG, env=environment)

    with ExitStack() as servers:
        return asyncio.run(together())


def test_a_rolling_restart_loses_no_request_of_clients_that_keep_their_connections(
    tmp_path: Path,
) -> None:
    clients = roll(tmp_path, 2)
    assert clients.failed == []
    assert set(clients.answered) == {200}
    assert clients.told_to_close >= 2 * CLIENTS


def test_nor_does_one_of_several_workers(tmp_path: Path) -> None:
    clients = roll(tmp_path, 1, workers=2)
    assert clients.failed == []
    assert set(clients.answered) == {200}
    assert clients.told_to_close >= CLIENTS


def test_nor_one_of_clients_that_connect_for_each_request(tmp_path: Path) -> None:
    """Connections that the kernel has accepted, and the server has not, are answered too."""
    clients = roll(tmp_path, 1, keep=False)
    assert clients.failed == []
    assert set(clients.answered) == {200}


def test_it_first_tells_clients_to_close_and_cuts_off_none(tmp_path: Path) -> None:
    with (
        serving(tmp_path, env={"ALLOTMENT_DRAIN_SECONDS": "2"}) as server,
        connected(server.url) as busy,
        connected(server.url) as idle,
    ):
        for client in (busy, idle):
            assert "connection" not in client.ask(get("/readyz")).headers
        server.process.send_signal(signal.SIGTERM)
        wait_for(server, "draining")
        told = busy.ask(get("/readyz"))
        assert told.status == 503
        assert told.headers["connection"] == "close"
        assert busy.answer() is None
        with connected(server.url) as newcomer:
            assert newcomer.ask(get()).headers["connection"] == "close"
        time.sleep(0.5)
        assert idle.ask(get()).status == 200, "an idle connection is not cut off meanwhile"
        assert server.process.wait(10) == 0
        with pytest.raises(ConnectionRefusedError), connected(server.url):
            pass


def test_a_batch_that_streams_finishes_after_the_port_is_closed(tmp_path: Path) -> None:
    with (
        serving(tmp_path, catalog=CATALOG) as server,
        connected(server.url) as client,
    ):
        head = post("/v1/assign/batch", b"", "Transfer-Encoding: chunked")
        head = head.replace(b"Content-Length: 0\r\n", b"").replace(b"/json", b"/x-ndjson")
        client.send(head)
        server.process.send_signal(signal.SIGTERM)
        wait_closed(server)
        for number in range(20):
            line = b'{"unit": "user-%d"}\n' % number
            client.send(b"%x\r\n%b\r\n" % (len(line), line))
            time.sleep(0.05)
        client.send(b"0\r\n\r\n")
        answer = client.answer()
        assert answer is not None
        assert answer.status == 200
        assert answer.headers["connection"] == "close"
        assert answer.body.count(b"user-") == 20
        assert server.process.wait(10) == 0


@pytest.mark.parametrize("workers", [1, 2])
def test_a_second_signal_ends_it_at_once(workers: int, tmp_path: Path) -> None:
    patient = {"ALLOTMENT_DRAIN_SECONDS": "60"}
    with serving(tmp_path, env=patient, workers=workers) as server:
        server.process.send_signal(signal.SIGTERM)
        wait_for(server, "draining")
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(10) == 1


def test_an_interrupt_is_as_good(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(10) == 0
        assert "draining" in server.log
        assert "Traceback" not in server.log


def test_what_never_finishes_is_not_waited_for_longer_than_is_set(tmp_path: Path) -> None:
    with (
        serving(tmp_path, env={"ALLOTMENT_STOP_SECONDS": "1"}) as server,
        connected(server.url) as client,
    ):
        client.send(post("/v1/assign", b"").replace(b"Length: 0", b"Length: 10"))
        time.sleep(0.2)
        began = time.monotonic()
        assert server.stop() == 0
        assert 1 <= time.monotonic() - began < 5


def wait_for(server: Server, event: str) -> None:
    deadline = time.monotonic() + 10
    while event not in server.log:
        assert time.monotonic() < deadline, server.log
        time.sleep(0.02)


def wait_closed(server: Server) -> None:
    """Until it takes no more connections."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            with connected(server.url, patience=0.5):
                time.sleep(0.02)
        except ConnectionRefusedError:
            return
        except TimeoutError:
            continue
    raise AssertionError("it still takes connections")


@pytest.mark.soak
def test_twenty_rolling_restarts_lose_no_request(tmp_path: Path) -> None:
    clients = roll(tmp_path, 20)
    assert clients.failed == []
    assert set(clients.answered) == {200}
