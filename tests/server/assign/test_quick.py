"""A batch of ids is answered on the event loop once one like it was quick, and else in a thread."""

from __future__ import annotations

import asyncio
import io
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allotment.errors import AllotmentError
from allotment.server.assign.batch import arrow_reader, batches
from allotment.server.assign.batch.options import BatchOptions
from allotment.server.assign.batch.pipeline import Ids
from allotment.server.assign.batch.quick import Measured
from allotment.server.assign.batch.rows import UnitRows
from allotment.server.assign.shown import Shown
from allotment.server.sync.spaces import serve_stored
from allotment.store import Stored
from nouns import catalog, experiment, iteration
from server.assign.asking import Answer, Paths

ARROW = "application/vnd.apache.arrow.stream"
JSON = "application/json"
KEEPS = replace(experiment("keeps", iteration()), keeps_assignments=True)
CATALOG = catalog(experiment("e", iteration()), experiment("f", iteration()), KEEPS)


def shown() -> Shown:
    return Shown(serve_stored(Stored("default/production", CATALOG)))


def options(given_: str = JSON) -> BatchOptions:
    headers = [(b"content-type", given_.encode())]
    return BatchOptions.of({"headers": headers, "query_string": b""})


def measured(of: Shown, rows: int = 1_000, names: list[str] | None = None) -> Measured:
    ids = Ids(["e"] if names is None else names, UnitRows(["unit"] * rows))
    found = Measured.of(of, options(), ids)
    assert found is not None
    return found


def slowly() -> None:
    until = time.thread_time() + 0.002
    while time.thread_time() < until:
        pass


def test_what_was_never_measured_is_not_quick() -> None:
    one = shown()
    assert not measured(one).is_quick
    assert measured(one).make(lambda: 7) == 7
    assert measured(one).is_quick
    assert measured(one, rows=10).is_quick
    assert not measured(one, rows=1_001).is_quick
    assert not measured(one, names=["f"]).is_quick
    assert not measured(shown()).is_quick, "another revision may take longer"


def test_what_took_long_is_not_quick_until_it_is_again() -> None:
    one = shown()
    measured(one).make(lambda: None)
    measured(one, rows=500).make(slowly)
    assert not measured(one, rows=500).is_quick
    assert not measured(one, rows=1).is_quick
    measured(one, rows=500).make(lambda: None)
    assert measured(one, rows=500).is_quick
    assert not measured(one).is_quick


def test_a_few_ways_to_ask_are_remembered() -> None:
    one = shown()
    for number in range(1_000):
        measured(one, names=[f"gone-{number}"]).make(lambda: None)
    assert len(one.took) <= 256


@pytest.mark.parametrize(
    ("rows", "names"),
    [(1, ["e", "keeps"]), (1, None), (32_769, ["e"]), (1, [f"x{n}" for n in range(101)])],
)
def test_what_may_wait_or_is_made_in_parts_is_not_measured(
    rows: int, names: list[str] | None
) -> None:
    assert Measured.of(shown(), options(), Ids(names, UnitRows(["u"] * rows))) is None
    assert Measured.of(shown(), options(), None) is None


class Asked:
    """The paths, and in which threads pieces of answers were made."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.paths = Paths(CATALOG)
        self.threads: list[bool] = []
        make = batches._next

        def noted(pieces: Iterator[Any]) -> Any:
            self.threads.append(threading.current_thread() is not threading.main_thread())
            return make(pieces)

        monkeypatch.setattr(batches, "_next", noted)

    def __call__(self, body: bytes, form: str, accept: str = "") -> tuple[Answer, bool]:
        """The answer, and whether a thread made it."""
        target = "/v1/assign/batch" + ("" if form == JSON else "?experiment=e")
        more = {"accept": accept} if accept else {}
        answer = self.paths.ask("POST", target, body, content_type=form, **more)
        return answer, self.threads.pop()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[Asked]:
    found = Asked(monkeypatch)
    yield found
    found.paths.close()


def document(rows: int, **more: Any) -> bytes:
    units = [f"unit-{number}" for number in range(rows)]
    return json.dumps({"units": units, "experiments": ["e"], **more}).encode()


def stream(column: Any, name: str = "unit", **more: Any) -> bytes:
    table = pa.table({name: column, **more})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


@pytest.mark.parametrize("accept", ["", JSON, ARROW, "application/x-ndjson"])
@pytest.mark.parametrize("form", [JSON, ARROW])
def test_the_same_answer_comes_from_the_loop(asked: Asked, form: str, accept: str) -> None:
    bodies = {JSON: document(500), ARROW: stream([f"unit-{number}" for number in range(500)])}
    first, in_thread = asked(bodies[form], form, accept)
    assert in_thread
    for _ in range(5):
        asked(bodies[form], form, accept)  # what was loaded for the first took long
    again, in_thread = asked(bodies[form], form, accept)
    assert not in_thread
    assert (again.status, again.headers, again.body) == (first.status, first.headers, first.body)


def test_what_is_no_list_of_ids_alone_goes_to_a_thread(asked: Asked) -> None:
    texts = ["a", "b"]
    others: list[tuple[bytes, str]] = [
        (document(2, attributes=[{}, {}]), JSON),
        (b'{"units":["a",1],"experiments":["e"]}', JSON),
        (document(40_000), JSON),
        (b'{"unit":"a"}\n{"unit":"b"}', "application/x-ndjson"),
        (stream(texts, country=texts), ARROW),
        (stream([1, 2]), ARROW),
        (stream(pa.array(texts).dictionary_encode()), ARROW),
        (stream(pa.chunked_array([texts, texts])), ARROW),
    ]
    for body, form in others:
        for _ in range(3):
            answer, in_thread = asked(body, form)
            assert answer.status == 200, answer.body
            assert in_thread


def test_many_at_once_leave_the_loop_to_others_between_them(asked: Asked) -> None:
    body = document(100)
    for _ in range(3):
        asked(body, JSON)
    made = asked.threads
    rounds: list[int] = []

    async def ask_all() -> None:
        tasks = [
            asyncio.ensure_future(
                asked.paths._ask("POST", "/v1/assign/batch", body, {"content_type": JSON})
            )
            for _ in range(30)
        ]
        while not all(task.done() for task in tasks):
            before = len(made)
            await asyncio.sleep(0)
            rounds.append(len(made) - before)

    asyncio.run(ask_all())
    assert made == [False] * 30
    assert max(rounds) <= 3


def both_ways(body: bytes) -> tuple[object, object]:
    """The units of a stream as they are read on the loop, and in a thread; or how it is refused."""

    def read(rows: Callable[[], Any]) -> object:
        try:
            return [row for block in rows() for row in block.units().to_pylist()]
        except AllotmentError as error:
            return error.message

    batch = arrow_reader.read_batch(io.BytesIO(body), "unit")
    at_once = None if batch is None else read(lambda: [batch])
    return at_once, read(lambda: arrow_reader.read_stream(io.BytesIO(body), {"": "unit"}))


INVALID = pa.Array.from_buffers(pa.string(), 2, pa.array([b"\xff", b"b"], pa.binary()).buffers())


def test_a_stream_of_one_column_is_read_as_any_other() -> None:
    for kind in (pa.string(), pa.large_string()):
        at_once, in_thread = both_ways(stream(pa.array(["a", None, ""], kind)))
        assert at_once == in_thread == ["a", None, ""]
    assert both_ways(stream(pa.array([], pa.string()))) == (None, []), "it has no record batch"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"xyzzy",
        stream(["a"])[:-20],
        stream(["a"]) + b"xyzzy",
        stream(["a"], name="other"),
        stream(["a"], unit2=["b"]),
        stream([["a"]]),
        stream(INVALID),
        stream(pa.array(["a"], pa.string_view())),
        stream(pa.nulls(3, pa.string()).cast(pa.string()), name="x" * 20_000),
    ],
)
def test_any_other_stream_is_left_to_the_general_way(body: bytes) -> None:
    assert arrow_reader.read_batch(io.BytesIO(body), "unit") is None


PLAIN = stream(["a", "bb", None, "a unit that is longer than others"])


@given(st.integers(0, len(PLAIN) - 1), st.integers(0, 255))
def test_a_stream_with_a_byte_wrong_is_read_as_in_the_general_way_or_left_to_it(
    place: int, byte: int
) -> None:
    body = bytearray(PLAIN)
    body[place] = byte
    at_once, in_thread = both_ways(bytes(body))
    assert at_once in (None, in_thread)
