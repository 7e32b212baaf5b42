"""Batches over HTTP: every form in, every form out, the same answers as one by one."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import httpx
import msgspec
import polars as pl
import pyarrow as pa
import pytest

from allotment.engine import Engine
from allotment.model.assignment import Assignment
from allotment.server.assign.batch.ndjson_reader import LINE_VALUES_MAX
from rawclient import connected
from serving import Server

JSON = "application/json"
NDJSON = "application/x-ndjson"
ARROW = "application/vnd.apache.arrow.stream"
FORMS = (JSON, NDJSON, ARROW)

COUNTRIES = ("SE", "US", None, "NO")
UNITS = [f"unit-{number}" for number in range(3_000)]
KNOWN = [{"country": COUNTRIES[n % 4], "app": {"version": f"{n % 3}.0.0"}} for n in range(3_000)]

# One unit's answers: experiment to (treatment, reason).
Given = dict[str, tuple[str | None, str]]


def in_form(form: str, units: Sequence[Any], known: Sequence[Any] | None = None) -> bytes:
    """Units and attributes as a body."""
    if form == JSON:
        rows = {} if known is None else {"attributes": known}
        return msgspec.json.encode({"units": units, **rows})
    if form == NDJSON:
        lines = [
            {"unit": unit, "attributes": attributes}
            for unit, attributes in zip(units, known or [None] * len(units), strict=True)
        ]
        return msgspec.json.Encoder().encode_lines(lines)
    columns: dict[str, Any] = {"unit": pa.array(units)}
    if known is not None:
        table = pa.Table.from_pylist(list(known))
        columns |= dict(zip(table.column_names, table.columns, strict=True))
    return stream(pa.table(columns), 1_000)


def stream(table: pa.Table, rows: int | None = None) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=rows)
    body: bytes = sink.getvalue().to_pybytes()
    return body


def answers(answer: httpx.Response) -> list[Given]:
    """What each unit got, whatever the form of the answer."""
    assert answer.status_code == 200, answer.text[:300]
    form = answer.headers["content-type"]
    if form == ARROW:
        with pa.ipc.open_stream(answer.content) as reader:
            table = reader.read_all()
        table.validate(full=True)
        keys = [name for name in table.column_names if f"{name}.reason" in table.column_names]
        return [
            {key: (row[key], row[f"{key}.reason"]) for key in keys} for row in table.to_pylist()
        ]
    found = answer.json()["units"] if form == JSON else lines(answer)
    return [
        {key: (each["treatment"], each["reason"]) for key, each in row["assignments"].items()}
        for row in found
    ]


def lines(answer: httpx.Response) -> list[Any]:
    return [json.loads(line) for line in answer.content.splitlines()]


def one_by_one(engine: Engine, units: Iterable[Any], known: Iterable[Any]) -> list[Given]:
    found = []
    for unit, attributes in zip(units, known, strict=True):
        given = engine.assign_all(unit, attributes)
        assert all(isinstance(each, Assignment) for each in given.values())
        found.append({key: (each.treatment, each.reason.value) for key, each in given.items()})
    return found


def send(
    client: httpx.Client, body: Any, form: str, accept: str | None = None, **parameters: Any
) -> httpx.Response:
    headers = {"content-type": form} | ({} if accept is None else {"accept": accept})
    return client.post("/v1/assign/batch", content=body, headers=headers, params=parameters)


@pytest.mark.parametrize("accept", FORMS)
@pytest.mark.parametrize("form", FORMS)
def test_every_form_answers_in_every_form_what_the_engine_does(
    client: httpx.Client, engine: Engine, form: str, accept: str
) -> None:
    answer = send(client, in_form(form, UNITS, KNOWN), form, accept)
    assert answer.headers["content-type"] == accept
    assert answer.headers["allotment-revision"] == "1"
    assert answers(answer) == one_by_one(engine, UNITS, KNOWN)


@pytest.mark.parametrize("form", FORMS)
def test_a_batch_is_answered_in_its_own_form(client: httpx.Client, form: str) -> None:
    for accept in (None, "*/*", "application/*", "text/html, */*;q=0.1"):
        answer = send(client, in_form(form, ["a"]), form, accept)
        assert answer.headers["content-type"] == form


def test_the_form_of_the_answer_is_the_one_the_client_likes_best(client: httpx.Client) -> None:
    liked = {
        f"{ARROW};q=0.5, {NDJSON}": NDJSON,
        f"*/*;q=0.1, {ARROW}": ARROW,
        f"{JSON};q=0, */*": NDJSON,
        "application/jsonl": NDJSON,
        f"{JSON.upper()} ; q=1.0": JSON,
    }
    for accept, form in liked.items():
        answer = send(client, in_form(JSON, ["a"]), JSON, accept)
        assert answer.headers["content-type"] == form, accept
    for accept in ("text/csv", f"{JSON};q=0"):
        assert send(client, in_form(JSON, ["a"]), JSON, accept).status_code == 406
    assert send(client, in_form(JSON, ["a"]), JSON, f"{JSON};q=sticky_keys").status_code == 400


def test_other_forms_are_not_read(client: httpx.Client) -> None:
    for form in ("text/csv", "", "application/json; charset=utf-16", "multipart/form-data"):
        assert send(client, b'{"units":[]}', form).status_code == 415, form
    assert send(client, b'{"units":[]}', 'application/json; charset="UTF-8"').status_code == 200


@pytest.mark.parametrize("form", FORMS)
def test_an_empty_batch_has_no_answers(client: httpx.Client, form: str) -> None:
    for accept in FORMS:
        body = (
            stream(pa.table({"unit": pa.array([], pa.string())}))
            if form == ARROW
            else in_form(form, [])
        )
        answer = send(client, body, form, accept)
        assert answers(answer) == []


@pytest.mark.parametrize("accept", FORMS)
def test_what_is_no_unit_fails_alone(client: httpx.Client, engine: Engine, accept: str) -> None:
    none = ["", "u" * 1025, None, 1.5, True, [], ["a"], {}, {"person": 1}, 10**400, -(10**1030)]
    units = [each for unit in none for each in (unit, "good")]
    for form in (JSON, NDJSON):
        known = [{"country": "SE"}] * len(units)
        found = answers(send(client, in_form(form, units, known), form, accept))
        good = one_by_one(engine, ["good"], known[:1])[0]
        for unit, given in zip(units, found, strict=True):
            if unit == "good":
                assert given == good
            elif unit != 10**400:  # 401 digits are a good key
                assert {reason for _, reason in given.values()} == {"NO_UNIT"}, unit


@pytest.mark.parametrize("accept", FORMS)
def test_an_arrow_unit_that_is_none_fails_alone(
    client: httpx.Client, engine: Engine, accept: str
) -> None:
    keys = [b"a", b"", None, b"\xff", b"u" * 1025, b"b", b"\xed\xa0\x80"]
    for kind in (pa.string(), pa.binary(), pa.large_string(), pa.large_binary()):
        plain = pa.array(keys, pa.large_binary() if "large" in str(kind) else pa.binary())
        body = stream(pa.table({"unit": plain if kind == plain.type else plain.view(kind)}))
        answer = send(client, body, ARROW, accept)
        good = one_by_one(engine, ["a", "b"], [None, None])
        found = answers(answer)
        assert [found[0], found[5]] == good
        for place in (1, 2, 3, 4, 6):
            assert {reason for _, reason in found[place].values()} == {"NO_UNIT"}
        if accept == NDJSON:
            assert [line["unit"] for line in lines(answer)][:4] == ["a", "", None, None]


def test_a_line_that_cannot_be_read_fails_alone(client: httpx.Client, engine: Engine) -> None:
    deep = b'{"unit":"a","attributes":{"a":' + b"[" * 32 + b"]" * 32 + b"}}"
    faulty = [
        b"{",
        b"[]",
        b'"a"',
        b"nonsense",
        b"{}",
        b'{"unit":"a","more":1}',
        b'{"unit":"a"}{"unit":"b"}',
        b'{"unit":"\\ud800"}',
        b'{"unit":"\xff"}',
        b'{"unit":NaN}',
        b'{"unit":"a","attributes":[]}',
        b'{"unit":"a","attributes":{"a":1e999}}',
        b'{"unit":' + b"9" * 5000 + b"}",
        b'{"unit":' + b"[" * 3000 + b"]" * 3000 + b"}",
        b'{"unit":' + b"[" * 97 + b"]" * 97 + b"}",
        b'{"unit":[' + b"0," * LINE_VALUES_MAX + b"0]}",
        deep,
        b'{"unit":"a","attributes":{"a":"' + b"x" * 65_600 + b'"}}',
        b'{"unit":"a"' + b" " * (1 << 20) + b"}",
        b'{"unit":"' + b"x" * (3 << 20) + b'"}',
    ]
    body = b"".join(line + b'\n{"unit":"good"}\r\n\n  \n' for line in faulty) + b'{"unit":"good"}'
    for pieces in (body, chunks(body, 1_000), chunks(body, 100_000)):
        found = lines(send(client, pieces, NDJSON))
        assert len(found) == 2 * len(faulty) + 1
        good = {
            key: {"treatment": treatment, "reason": reason}
            for key, (treatment, reason) in one_by_one(engine, ["good"], [None])[0].items()
        }
        for place, line in enumerate(found):
            if place % 2 or place == 2 * len(faulty):
                assert line == {"unit": "good", "assignments": good}
            else:
                assert set(line) == {"error"}, faulty[place // 2][:50]
                assert set(line["error"]) == {"detail"}


def chunks(body: bytes, size: int) -> Iterable[bytes]:
    return (body[start : start + size] for start in range(0, len(body), size))


def test_a_faulty_line_is_no_unit_in_an_arrow_answer(client: httpx.Client) -> None:
    answer = send(client, b'{"unit":"a"}\n{\n{"unit":{"user":"b"}}\n', NDJSON, ARROW)
    with pa.ipc.open_stream(answer.content) as reader:
        table = reader.read_all()
    assert table.column("unit").to_pylist() == ["a", None, '{"user":"b"}']
    assert table.column("plain.reason").to_pylist()[1] == "NO_UNIT"


def test_attributes_come_as_rows_or_as_columns(client: httpx.Client, engine: Engine) -> None:
    columns = {
        "country": [each["country"] for each in KNOWN],
        "app": [each["app"] for each in KNOWN],
    }
    answer = client.post("/v1/assign/batch", json={"units": UNITS, "attributes": columns})
    assert answers(answer) == one_by_one(engine, UNITS, KNOWN)


@pytest.mark.parametrize("form", FORMS)
def test_some_experiments_are_asked_for_by_name(
    client: httpx.Client, engine: Engine, form: str
) -> None:
    keys = ["plain", "gone", "checkout"]
    if form == JSON:
        answer = client.post("/v1/assign/batch", json={"units": ["a"], "experiments": keys})
    else:
        answer = send(client, in_form(form, ["a"]), form, experiment=keys)
    expected = one_by_one(engine, ["a"], [None])[0]
    assert answers(answer) == [
        {
            "plain": expected["plain"],
            "gone": (None, "UNKNOWN_EXPERIMENT"),
            "checkout": expected["checkout"],
        }
    ]


def test_units_of_several_kinds(client: httpx.Client, engine: Engine) -> None:
    units = [{"user": f"u{n}", "device": f"d{n}"} for n in range(100)] + ["plain", {"user": 7}]
    known = [KNOWN[0] | {"app": {"version": "3.0.0"}}] * len(units)
    expected = one_by_one(engine, units, known)
    for form in (JSON, NDJSON):
        assert answers(send(client, in_form(form, units, known), form)) == expected
    table = pa.table(
        {
            "person": [f"u{n}" for n in range(100)],
            "machine": [f"d{n}" for n in range(100)],
            "country": ["SE"] * 100,
            "app": [{"version": "3.0.0"}] * 100,
        }
    )
    parameters = {"unit": ["user=person", "device=machine"]}
    for accept in FORMS:
        answer = send(client, stream(table), ARROW, accept, **parameters)
        assert answers(answer) == expected[:100]
    assert lines(send(client, stream(table), ARROW, NDJSON, **parameters))[1]["unit"] == units[1]


def test_arrow_columns_of_every_good_type_are_units(client: httpx.Client, engine: Engine) -> None:
    numbers = list(range(50))
    expected = one_by_one(engine, numbers, [None] * 50)
    text = pa.array([str(number) for number in numbers])
    for column in (
        text,
        text.cast(pa.large_string()),
        text.cast(pa.string_view()),
        text.dictionary_encode(),
        text.cast(pa.binary()),
        pa.array(numbers, pa.int8()),
        pa.array(numbers, pa.uint64()),
    ):
        for accept in FORMS:
            answer = send(client, stream(pa.table({"id": column}), 20), ARROW, accept, unit="id")
            assert answers(answer) == expected, column.type
        with pa.ipc.open_stream(answer.content) as reader:
            kept = reader.read_all().column("id").to_pylist()
        assert [str(each) for each in kept] == [str(number) for number in numbers]


def test_the_stream_of_another_producer_is_read(client: httpx.Client, engine: Engine) -> None:
    frame = pl.DataFrame({"unit": UNITS[:500], "country": [COUNTRIES[n % 4] for n in range(500)]})
    file = io.BytesIO()
    frame.write_ipc_stream(file)
    found = answers(send(client, file.getvalue(), ARROW))
    known = [{"country": COUNTRIES[n % 4]} for n in range(500)]
    assert found == one_by_one(engine, UNITS[:500], known)


def test_an_arrow_stream_is_read_however_it_is_cut(client: httpx.Client, engine: Engine) -> None:
    body = in_form(ARROW, UNITS[:100], KNOWN[:100])
    expected = one_by_one(engine, UNITS[:100], KNOWN[:100])
    for size in (7, 64, 1_001):
        assert answers(send(client, chunks(body, size), ARROW)) == expected


def test_the_answer_says_what_it_means(client: httpx.Client) -> None:
    document = send(client, in_form(JSON, ["a"]), JSON).json()
    assert document["revision"] == 1
    assert document["experiments"]["checkout"] == {
        "iteration": 1,
        "revision": 1,
        "control": "control",
        "treatments": {"control": {"button": "blue"}, "green": {"button": "green"}},
    }
    arrow = send(client, in_form(JSON, ["a"]), JSON, ARROW)
    with pa.ipc.open_stream(arrow.content) as reader:
        told = json.loads(reader.schema.metadata[b"allotment"])
    del document["units"]
    assert told == document


def test_a_large_document_is_answered_as_a_small_one(client: httpx.Client, engine: Engine) -> None:
    """It is read in pieces; what it says stays what it is."""
    units = [f"unit-{number}" for number in range(30_000)]
    known = [KNOWN[number % 3_000] for number in range(30_000)]
    expected = one_by_one(engine, units, known)
    rows = in_form(JSON, units, known)
    assert len(rows) > 1 << 20
    assert answers(send(client, rows, JSON)) == expected
    columns = {"units": units, "attributes": {n: [k[n] for k in known] for n in ("country", "app")}}
    spaced = json.dumps({**columns, "experiments": ["plain", "checkout"]}, indent=1).encode()
    found = answers(send(client, spaced, JSON, ARROW))
    assert found == [{key: each[key] for key in ("plain", "checkout")} for each in expected]


def test_an_answer_begins_once_the_request_is_whole_and_comes_in_pieces(shop: Server) -> None:
    line = b'{"unit":"unit","attributes":{"country":"SE"}}\n'
    with connected(shop.url) as client:
        client.send(head("transfer-encoding: chunked"))
        client.send(b"%x\r\n%b\r\n" % (10_000 * len(line), 10_000 * line))
        client.socket.settimeout(0.5)
        with pytest.raises(TimeoutError):
            client.socket.recv(1)
        client.socket.settimeout(20)
        answer = client.ask(b"0\r\n\r\n")
    assert answer.status == 200
    assert answer.headers["transfer-encoding"] == "chunked"
    assert answer.body.count(b"\n") == 10_000


def test_a_client_that_leaves_in_the_middle_leaves_nothing_behind(
    shop: Server, client: httpx.Client
) -> None:
    """In the middle of its request, or of the answer, which begins when the request is whole."""
    line = b'{"unit":"unit","attributes":{"country":"SE"}}\n' * 1_000
    before = open_files(shop)
    for size in (100_000_000, 200 * len(line)) * 5:
        with connected(shop.url) as leaver:
            leaver.send(head(f"content-length: {size}"))
            for _ in range(200):
                leaver.send(line)
            if size == 200 * len(line):
                assert leaver.socket.recv(1 << 16)
    deadline = time.monotonic() + 20
    while open_files(shop) > before:
        assert time.monotonic() < deadline, "files or connections stay open"
        time.sleep(0.05)
    assert send(client, in_form(JSON, ["a"]), JSON).status_code == 200


def open_files(server: Server) -> int:
    return len(list(Path(f"/proc/{server.process.pid}/fd").iterdir()))


def head(*headers: str) -> bytes:
    lines = ["POST /v1/assign/batch HTTP/1.1", "host: localhost", f"content-type: {NDJSON}"]
    return "\r\n".join([*lines, *headers, "\r\n"]).encode()
