"""A batch of any size goes through a server whose memory stays where it is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from rawclient import connected
from server.assign.test_batch import ARROW, JSON, NDJSON, head, stream
from serving import SHOP, Server, serving

MB = 1_000_000
BODY = 300 * MB

# What a server may come to need for a batch of any size, be it of lines or of record batches of
# 2 MB. A document, which is kept until it is whole, takes itself on top of that.
BOUND = 60 * MB

pytestmark = [pytest.mark.soak, pytest.mark.memory]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with serving(tmp_path, catalog=SHOP) as server:
        with server.client() as client:  # so that pyarrow is loaded
            body = stream(pa.table({"unit": ["a"]}))
            client.post("/v1/assign/batch", content=body, headers={"content-type": ARROW})
        yield server


def memory(server: Server, what: str) -> int:
    """Bytes of memory of the server: VmRSS is now, VmHWM the most there was."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.partition(f"{what}:")[2].split()[0]) * 1024


def write_lines(path: Path) -> int:
    count = 0
    with path.open("wb") as file:
        while file.tell() < BODY:
            numbers = range(count, count + 10_000)
            line = b'{"unit":"unit-%d","attributes":{"country":"SE"}}\n'
            file.write(b"".join([line % number for number in numbers]))
            count += 10_000
    return count


def write_records(path: Path) -> int:
    schema = pa.schema([("unit", pa.string()), ("country", pa.string())])
    rows, count = 50_000, 0
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, schema) as writer:
        while file.tell() < BODY:
            units = pa.array([f"unit-{number:030d}" for number in range(count, count + rows)])
            writer.write_batch(pa.record_batch([units, pa.array(["SE"] * rows)], schema=schema))
            count += rows
    return count


@pytest.mark.parametrize(
    ("form", "write", "accept"),
    [
        (NDJSON, write_lines, NDJSON),
        (NDJSON, write_lines, ARROW),
        (ARROW, write_records, ARROW),
        (ARROW, write_records, NDJSON),
        (ARROW, write_records, JSON),
    ],
)
def test_three_hundred_megabytes_leave_the_memory_as_it_was(
    server: Server, tmp_path: Path, form: str, write: Callable[[Path], int], accept: str
) -> None:
    """The client sends all of it before it reads any of the answer, as most clients do."""
    path = tmp_path / "body"
    units = write(path)
    before = memory(server, "VmRSS")
    with path.open("rb") as file, server.client(timeout=120) as client:
        headers = {"content-type": form, "accept": accept}
        pieces = iter(lambda: file.read(1 << 16), b"")
        answered = size = 0
        rest = b""
        with client.stream("POST", "/v1/assign/batch", content=pieces, headers=headers) as answer:
            assert answer.status_code == 200
            for chunk in answer.iter_raw(1 << 20):
                size += len(chunk)
                answered += (rest + chunk).count(b'{"unit":')
                rest = chunk[-len(b'"unit":') :]
    assert accept == ARROW or answered == units
    assert size > units
    assert memory(server, "VmHWM") - before < BOUND


def test_a_document_of_64_mebibytes_takes_little_more_than_itself(server: Server) -> None:
    units = b",".join([b'"unit-%030d"' % number for number in range(1_700_000)])
    body = b'{"units":[%b]}' % units
    assert 60 << 20 < len(body) <= 64 << 20
    before = memory(server, "VmRSS")
    with server.client(timeout=120) as client:
        headers = {"content-type": JSON}
        with client.stream("POST", "/v1/assign/batch", content=body, headers=headers) as answer:
            assert answer.status_code == 200
            assert sum(map(len, answer.iter_raw(1 << 20))) > len(body)
    assert memory(server, "VmHWM") - before < 1.2 * len(body) + BOUND


def test_a_client_that_sends_slowly_and_reads_last_is_answered(server: Server) -> None:
    """Longer than an answer may lie unread: what counts is that the client still sends."""
    line = b'{"unit":"unit","attributes":{"country":"SE"}}\n'
    sent = 0
    with connected(server.url, 60) as client:
        client.send(head("transfer-encoding: chunked"))
        for lines in [1_000] * 100 + [40] * 80:
            client.send(b"%x\r\n%b\r\n" % (lines * len(line), lines * line))
            sent += lines
            time.sleep(0.5 if lines == 40 else 0)
        answer = client.ask(b"0\r\n\r\n")
    assert answer.status == 200
    assert answer.body.count(b"\n") == sent
