"""What no honest client sends: refused with a 4xx that repeats none of it, and nothing breaks."""

from __future__ import annotations

import json
import random
import struct
import time
from typing import Any

import httpx
import msgspec
import pyarrow as pa
import pytest

from server.assign.test_batch import ARROW, JSON, NDJSON, send, stream
from serving import Server

SINGLE = ("/v1/assign", "/v1/resolve", "/v1/explain")
BATCH = "/v1/assign/batch"
MARK = "xyzzy"  # stands in every hostile value, and may stand in no answer


def in_place_of_unit(value: bytes) -> list[tuple[str, bytes]]:
    """Bodies for every path that have `value` where the unit belongs."""
    return [
        ("/v1/assign", b'{"unit":%b}' % value),
        ("/v1/resolve", b'{"unit":%b}' % value),
        ("/v1/explain", b'{"experiment":"checkout","unit":%b}' % value),
        ("/v1/assign/batch", b'{"units":[%b]}' % value),
    ]


def in_attributes(value: bytes) -> list[tuple[str, bytes]]:
    known = b'"attributes":{"%b":%b}' % (MARK.encode(), value)
    return [
        ("/v1/assign", b'{"unit":"a",%b}' % known),
        ("/v1/resolve", b'{"unit":"a",%b}' % known),
        ("/v1/explain", b'{"experiment":"checkout","unit":"a",%b}' % known),
        ("/v1/assign/batch", b'{"units":["a"],"attributes":[{"%b":%b}]}' % (MARK.encode(), value)),
        ("/v1/assign/batch", b'{"units":["a"],"attributes":{"%b":[%b]}}' % (MARK.encode(), value)),
    ]


# No reader of JSON may take these.
NOT_JSON = [
    b"NaN",
    b"Infinity",
    b"-Infinity",
    b"1e999",
    b"-1e999",
    b"9" * 5_000,
    b"01",
    b"+1",
    b".5",
    b"'xyzzy'",
    b'"xyzzy',
    b'"xyzzy\\ud800"',
    b'"\\udc00xyzzy"',
    b'"\\ud800\\u0041xyzzy"',
    b'"xyzzy\xff"',
    b'"\xed\xa0\x80xyzzy"',
    b'"\xc0\xaf"',
    b'"xyzzy\x00"',
    b'"xyzzy\n"',
    b'"\\x41"',
    b"[" * 3_000 + b"]" * 3_000,
    b'{"a":' * 3_000 + b"1" + b"}" * 3_000,
    b"/*xyzzy*/1",
    b"1,",
    b"undefined",
    b"",
]


def refused(answer: httpx.Response, status: int = 400) -> dict[str, Any]:
    assert answer.status_code == status, answer.text[:300]
    assert answer.headers["content-type"] == "application/problem+json"
    assert MARK not in answer.text
    problem: dict[str, Any] = answer.json()
    assert problem["status"] == status
    assert len(answer.text) < 1_000
    return problem


@pytest.mark.parametrize("value", NOT_JSON, ids=lambda value: repr(value[:20]))
def test_what_is_not_json_is_refused_wherever_it_stands(client: httpx.Client, value: bytes) -> None:
    for path, body in in_place_of_unit(value) + in_attributes(value):
        if path == BATCH and value == b"" and b'units":[]' in body:
            continue  # an empty batch
        refused(client.post(path, content=body, headers={"content-type": JSON}))


@pytest.mark.parametrize("body", [b"", b" ", b"null", b"[]", b"1", b'"xyzzy"', b"{} {}", b"\0"])
def test_what_is_no_request_is_refused(client: httpx.Client, body: bytes) -> None:
    for path in (*SINGLE, BATCH):
        refused(client.post(path, content=body, headers={"content-type": JSON}))


def test_an_empty_object_is_a_request_only_where_no_unit_is_needed(client: httpx.Client) -> None:
    for path in (*SINGLE, BATCH):
        answer = client.post(path, content=b"{}", headers={"content-type": JSON})
        if path == "/v1/resolve":
            reasons = {flag["reason"] for flag in answer.json()["resolutions"].values()}
            assert (answer.status_code, reasons) == (200, {"NO_UNIT", None})
        else:
            refused(answer)


def test_other_encodings_are_refused(client: httpx.Client) -> None:
    for path, body in in_place_of_unit(b'"xyzzy"'):
        text = body.decode()
        for encoded in (
            b"\xef\xbb\xbf" + body,
            text.encode("utf-16"),
            text.encode("utf-16-le"),
            text.encode("utf-32"),
            text.replace("xyzzy", "\xe4").encode("latin-1"),
        ):
            refused(client.post(path, content=encoded, headers={"content-type": JSON}))


@pytest.mark.parametrize(
    "unit", ["1.5", "true", "null", "[]", '["xyzzy"]', '{"user":1.5}', '{"user":null}']
)
def test_a_value_of_the_wrong_type_is_no_unit(client: httpx.Client, unit: str) -> None:
    for path, body in in_place_of_unit(unit.encode())[:3]:
        assert refused(client.post(path, content=body))["path"].startswith("$.unit")


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        ("/v1/assign", {"xyzzy": 1}),
        ("/v1/assign", {"experiment": None}),
        ("/v1/assign", {"experiment": 7}),
        ("/v1/assign", {"experiments": "xyzzy"}),
        ("/v1/assign", {"experiments": [7]}),
        ("/v1/assign", {"experiment": "a", "experiments": ["xyzzy"]}),
        ("/v1/assign", {"stored": {"xyzzy": 7}}),
        ("/v1/assign", {"stored": ["xyzzy"]}),
        ("/v1/assign", {"attributes": ["xyzzy"]}),
        ("/v1/assign", {"attributes": "xyzzy"}),
        ("/v1/resolve", {"flag": "a", "flags": ["xyzzy"]}),
        ("/v1/resolve", {"experiment": "xyzzy"}),
        ("/v1/explain", {}),
        ("/v1/explain", {"experiment": "checkout", "revision": "xyzzy"}),
        ("/v1/explain", {"experiment": "checkout", "revision": 0}),
        ("/v1/explain", {"experiment": "checkout", "revision": 1.5}),
        ("/v1/explain", {"experiment": "checkout", "revision": 10**30}),
        ("/v1/explain", {"experiment": "checkout", "stored": 7}),
    ],
)
def test_fields_are_what_they_should_be(
    client: httpx.Client, path: str, wrong: dict[str, Any]
) -> None:
    refused(client.post(path, json={"unit": "a", **wrong}))


@pytest.mark.parametrize(
    "body",
    [
        {"units": "xyzzy"},
        {"units": {"user": ["xyzzy"]}},
        {"units": ["a"], "xyzzy": 1},
        {"units": ["a"], "attributes": [{}, {}]},
        {"units": ["a"], "attributes": []},
        {"units": ["a"], "attributes": ["xyzzy"]},
        {"units": ["a"], "attributes": {"xyzzy": []}},
        {"units": ["a"], "attributes": {"xyzzy": "SE"}},
        {"units": ["a"], "experiments": None},
        {"units": ["a"], "experiments": "xyzzy"},
        {"units": ["a"], "experiments": [7]},
        {"attributes": []},
    ],
)
def test_a_document_of_a_batch_is_what_it_should_be(
    client: httpx.Client, body: dict[str, Any]
) -> None:
    refused(client.post(BATCH, json=body))
    # One that is read in pieces is refused for the same.
    spaced = msgspec.json.encode(body)[:-1] + b" " * 1_100_000 + b"}"
    refused(send(client, spaced, JSON))


def test_a_large_document_is_refused_before_any_of_it_is_answered(client: httpx.Client) -> None:
    units = b",".join(b'"unit-%d"' % number for number in range(100_000))
    good = b'{"units":[%b],"experiments":["plain"]}' % units
    assert send(client, good, JSON).status_code == 200
    for broken in (
        good[:-1],
        good[:-30],
        good + b"xyzzy",
        good.replace(b'"unit-99999"', b"NaN"),
        good.replace(b'"unit-99999"', b'"xyzzy\\ud800"'),
        good.replace(b'"unit-99999"', b""),
        good.replace(b'"unit-99999"', b'"xyzzy" "b"'),
        good.replace(b'"unit-99999"', b'{"a":"xyzzy"'),
        good.replace(b'"unit-99999"', b"[" * 3_000 + b"]" * 3_000),
        good.replace(b'"unit-99999"', b"1e999"),
        good.replace(b'"unit-99999"', b'"xyzzy\xff"'),
        good.replace(b'"experiments":["plain"]', b'"attributes":{"xyzzy":[1]}'),
        good.replace(b'"experiments":["plain"]', b'"attributes":[{}]'),
        good.replace(b'"experiments":["plain"]', b'"attributes":7'),
        good.replace(b'"experiments":["plain"]', b'"xyzzy":7'),
        good.replace(b'"experiments":["plain"]', b'"experiments":{"xyzzy":1}'),
        good.replace(b'"experiments"', b'"\\ud800"'),
        b"[%b]" % units,
        b" " * 1_100_000,
    ):
        refused(send(client, broken, JSON))


def test_what_is_no_unit_fails_alone_in_a_large_document_too(client: httpx.Client) -> None:
    units = b",".join(b'"unit-%d"' % number for number in range(100_000))
    for none in (b'"' + b"x" * 200_000 + b'"', b"[" * 40 + b"]" * 40, b'{"a":"b"}'):
        for body in (b"%b,%b" % (none, units), none):
            answer = send(client, b'{"units":[%b],"experiments":["plain"]}' % body, JSON)
            assert answer.status_code == 200, answer.text[:300]
            given = answer.json()["units"]
            assert given[0]["assignments"]["plain"] == {"treatment": None, "reason": "NO_UNIT"}
            assert all(each["assignments"]["plain"]["treatment"] for each in given[1:])


def test_attributes_have_limits(client: httpx.Client) -> None:
    for path, asked in (
        ("/v1/assign", {"unit": "a"}),
        ("/v1/resolve", {"unit": "a"}),
        ("/v1/explain", {"unit": "a", "experiment": "checkout"}),
    ):
        for known, status in (
            (deep(32), 200),
            (deep(33), 400),
            (wide(65_536), 200),
            (wide(65_537), 400),
        ):
            answer = client.post(path, json={**asked, "attributes": known})
            assert answer.status_code == status, answer.text[:300]
            if status == 400:
                assert refused(answer)["path"] == "$.attributes"
    for known, status in (
        (deep(32), 200),
        (deep(33), 400),
        (wide(65_536), 200),
        (wide(65_537), 400),
    ):
        rows = {"units": ["a", "b"], "attributes": [{}, known]}
        assert client.post(BATCH, json=rows).status_code == status


def deep(levels: int) -> dict[str, Any]:
    value: Any = 1
    for _ in range(levels - 1):
        value = [value]
    return {"a": value}


def wide(size: int) -> dict[str, Any]:
    return {"a": "x" * (size - len('{"a":""}'))}


def test_bodies_have_limits(client: httpx.Client) -> None:
    size = 1 << 20
    for path, body in in_place_of_unit(b'"xyzzy"')[:3]:
        assert client.post(path, content=body.ljust(size)).status_code == 200
        refused(client.post(path, content=body.ljust(size + 1)), 413)
        in_pieces = (body.ljust(size + 1)[at : at + 9_999] for at in range(0, size + 1, 9_999))
        refused(client.post(path, content=in_pieces), 413)
    refused(client.post("/v1/assign", content=b"{}", headers={"content-encoding": "gzip"}), 415)


def test_a_document_of_a_batch_has_a_limit(client: httpx.Client) -> None:
    pieces = (b" " * (1 << 20) for _ in range(65))
    refused(send(client, pieces, JSON), 413)


def test_a_name_that_stands_twice_counts_as_it_stands_last(client: httpx.Client) -> None:
    body = b'{"unit":"xyzzy","unit":"a","experiment":"gone","experiment":"plain"}'
    given = client.post("/v1/assign", content=body).json()["assignments"]
    assert (
        given
        == client.post("/v1/assign", json={"unit": "a", "experiment": "plain"}).json()[
            "assignments"
        ]
    )


@pytest.mark.parametrize(
    "parameters",
    [
        {"xyzzy": "1"},
        {"experiment": ""},
        {"unit": ""},
        {"unit": "xyzzy"},
        {"unit": ["a", "xyzzy"]},
        {"unit": ["user=a", "user=xyzzy"]},
        {"unit": "user="},
        {"unit": "=a"},
    ],
)
def test_parameters_of_a_batch_are_what_they_should_be(
    client: httpx.Client, parameters: dict[str, Any]
) -> None:
    body = stream(pa.table({"a": ["xyzzy"]}))
    refused(send(client, body, ARROW, **parameters))
    if "experiment" not in parameters:
        refused(send(client, b'{"unit":"a"}', NDJSON, **parameters))
    refused(send(client, b'{"units":["a"]}', JSON, **parameters))


def arrow(**columns: Any) -> bytes:
    return stream(pa.table(columns))


def compressed() -> bytes:
    sink = pa.BufferOutputStream()
    table = pa.table({"unit": ["xyzzy"] * 1_000})
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.ipc.new_stream(sink, table.schema, options=options) as writer:
        writer.write_table(table)
    body: bytes = sink.getvalue().to_pybytes()
    return body


def claiming_many_rows() -> bytes:
    """A column of nulls takes no bytes however long it is."""
    honest = arrow(unit=pa.nulls(12_345))
    return honest.replace(struct.pack("<q", 12_345), struct.pack("<q", 1 << 40))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"xyzzy",
        b"xyzzy" * 100,
        struct.pack("<Ii", 0xFFFFFFFF, 1 << 30),
        struct.pack("<Ii", 0xFFFFFFFF, -8) + b"x" * 100,
        struct.pack("<Ii", 0xFFFFFFFF, 0),
        struct.pack("<Ii", 0xFFFFFFFF, 64) + b"\xff" * 64,
        struct.pack("<Ii", 0xFFFFFFFF, 64) + b"\x00" * 64,
        arrow(unit=["a"])[:-20],
        arrow(unit=["a"]) + b"xyzzy",
        arrow(xyzzy=["a"]),
        arrow(unit=[1.5]),
        arrow(unit=[True]),
        arrow(unit=[["a"]]),
        arrow(unit=[None]),
        compressed(),
        claiming_many_rows(),
        stream(pa.Table.from_arrays([pa.array(["a"]), pa.array(["b"])], names=["unit", "unit"])),
    ],
    ids=range(18),
)
def test_what_is_no_arrow_stream_of_units_is_refused(client: httpx.Client, body: bytes) -> None:
    for accept in (ARROW, NDJSON):
        refused(send(client, body, ARROW, accept))


def test_a_record_batch_that_is_too_large_is_refused(client: httpx.Client) -> None:
    body = arrow(unit=["u" * 1_000] * 70_000)
    refused(
        send(client, (body[at : at + 65_536] for at in range(0, len(body), 65_536)), ARROW), 413
    )


def test_a_large_stream_that_is_wrong_is_refused_before_any_of_it_is_answered(
    client: httpx.Client,
) -> None:
    units = [f"unit-{number}" for number in range(200_000)]
    good = stream(pa.table({"unit": units}), 10_000)
    assert send(client, good, ARROW).status_code == 200
    schema, *batches = messages(good)
    end = struct.pack("<Ii", 0xFFFFFFFF, 0)
    for broken in (
        good[: len(good) // 2],
        good[:-10],
        good + b"xyzzy",
        good + good,
        schema + b"".join(batches) + schema + end,
        schema + b"".join(batches) + messages(compressed())[1] + end,
        schema + b"".join(batches) + struct.pack("<Ii", 0xFFFFFFFF, 1 << 30),
    ):
        refused(send(client, broken, ARROW))


def test_dictionaries_without_end_are_refused(client: httpx.Client) -> None:
    head, dictionary = messages(arrow(unit=pa.array(["u" * 1_000_000]).dictionary_encode()))[:2]
    refused(send(client, (dictionary if n else head for n in range(80)), ARROW), 413)
    refused(send(client, [head, head], ARROW))
    refused(send(client, dictionary, ARROW))


def test_forty_thousand_small_dictionaries_take_no_time(client: httpx.Client) -> None:
    body = arrow(unit=pa.array(["unit"]).dictionary_encode())
    head, dictionary, batch = messages(body)
    began = time.monotonic()
    answer = send(client, head + 40_000 * dictionary + batch, ARROW, NDJSON)
    assert answer.json()["unit"] == "unit"
    assert time.monotonic() - began < 10


def test_record_batches_without_end_are_refused_before_they_are_looked_through(
    client: httpx.Client,
) -> None:
    """4 GiB of the smallest would keep one of two threads for minutes."""
    head, batch = messages(arrow(unit=["u"] * 3))[:2]
    wide = messages(arrow(unit=["u"], **{f"c{number}": ["x"] for number in range(500)}))[:2]
    answer = send(client, head + 2_000 * batch, ARROW, NDJSON, experiment="plain")
    assert answer.text.count("\n") == 3 * 2_000
    refused(send(client, head + 66_000 * batch, ARROW, NDJSON), 413)
    refused(send(client, wide[0] + 3_000 * wide[1], ARROW, NDJSON), 413)


def test_one_long_text_that_every_row_names_is_refused(client: httpx.Client) -> None:
    """A few megabytes would become gigabytes, and end the process."""
    long = "u" * (8 << 20)
    rows = pa.array([0] * 20_000, pa.int32())
    coded = pa.DictionaryArray.from_arrays(rows, pa.array([long]))
    _, views, *texts = pa.array([long], pa.string_view()).buffers()
    seen = pa.py_buffer(views.to_pybytes()[:16] * 20_000)
    viewed = pa.Array.from_buffers(pa.string_view(), 20_000, [None, seen, *texts])
    for units, accept in ((coded, NDJSON), (coded, ARROW), (viewed, ARROW)):
        refused(send(client, arrow(unit=units), ARROW, accept), 413)
    plain = pa.array([str(row) for row in range(20_000)])
    nested = pa.StructArray.from_arrays([viewed], ["name"])
    listed = pa.ListArray.from_arrays(pa.array(range(20_001), pa.int32()), viewed)
    for known in (viewed, nested, listed):
        began = time.monotonic()
        refused(send(client, arrow(unit=plain, country=known), ARROW, NDJSON), 413)
        assert time.monotonic() - began < 3  # one look at all that is named takes 6 s
    few = pa.DictionaryArray.from_arrays(pa.array([0, None, 1]), pa.array(["x" * 2_000, "b"]))
    units = [
        json.loads(line)["unit"]
        for line in send(client, arrow(unit=few), ARROW, NDJSON).text.splitlines()
    ]
    assert units == ["x" * 2_000, None, "b"]


def messages(body: bytes) -> list[bytes]:
    """The messages of an Arrow stream, each whole."""
    reader = pa.ipc.MessageReader.open_stream(body)
    found = [message.serialize().to_pybytes() for message in reader]
    assert b"".join(found) + struct.pack("<Ii", 0xFFFFFFFF, 0) == body
    return found


def test_columns_of_an_answer_have_names_of_their_own(client: httpx.Client) -> None:
    refused(send(client, arrow(plain=["a"]), ARROW, unit="plain"))
    assert send(client, arrow(plain=["a"]), ARROW, NDJSON, unit="plain").status_code == 200


def nothing_failed(server: Server) -> bool:
    """Whether the log has no trace but of answers that had to break off."""
    return all("BrokenOff" in line for line in server.log.splitlines() if "Traceback" in line)


def test_an_arrow_stream_with_any_byte_wrong_harms_nobody(
    shop: Server, client: httpx.Client
) -> None:
    """It is refused or answered, or the answer breaks off; the process lives on."""
    table = pa.table(
        {
            "unit": [f"unit-{n}" for n in range(64)],
            "country": pa.array(["SE", "NO", None, "US"] * 16).dictionary_encode(),
            "app": [{"version": "2.0.0", "tags": ["a", "b"]}] * 64,
        }
    )
    good = stream(table, 40)
    chance = random.Random(20261121)
    outcomes = set()
    for _ in range(600):
        body = bytearray(good)
        for _ in range(chance.randint(1, 3)):
            body[chance.randrange(len(body))] = chance.choice(
                (0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256))
            )
        try:
            answer = send(client, bytes(body), ARROW, chance.choice((ARROW, NDJSON)))
        except httpx.RemoteProtocolError:
            outcomes.add(0)
            continue
        outcomes.add(answer.status_code)
        assert answer.status_code in (200, 400, 413), answer.text[:300]
    assert {200, 400} <= outcomes
    assert shop.process.poll() is None
    assert nothing_failed(shop)


def test_bodies_with_bytes_wrong_are_refused_or_answered(
    shop: Server, client: httpx.Client
) -> None:
    chance = random.Random(20261122)
    for _ in range(1_000):
        path, body = chance.choice(
            in_attributes(b'{"a":[1,2.5,true,null,"\\u00e4\\ud83d\\ude00"]}')
        )
        wrong = bytearray(body)
        for _ in range(chance.randint(1, 3)):
            wrong[chance.randrange(len(wrong))] = chance.randrange(256)
        answer = client.post(path, content=bytes(wrong), headers={"content-type": JSON})
        assert answer.status_code in (200, 400, 404), answer.text[:300]
    assert nothing_failed(shop)


def test_headers_are_read_strictly(client: httpx.Client) -> None:
    asked = {"unit": "a", "experiment": "plain"}
    for revision, status in (
        ("0", 200),
        ("1", 200),
        ("2", 412),
        ("-1", 400),
        ("x", 400),
        ("1.0", 400),
    ):
        headers = {"allotment-min-revision": revision}
        for path, body in (("/v1/assign", asked), (BATCH, {"units": ["a"]})):
            answer = client.post(path, json=body, headers=headers)
            assert answer.status_code == status, (revision, answer.text[:300])
    twice = [("allotment-min-revision", "1"), ("allotment-min-revision", "0")]
    refused(client.post("/v1/assign", json=asked, headers=twice))
    refused(client.post("/v1/assign", json=asked, headers={"allotment-space": "xyzzy"}))
    refused(client.post("/v1/assign", json=asked, headers={"allotment-space": "xyzzy/a"}), 404)


def test_a_page_from_elsewhere_may_not_ask_in_the_name_of_this_machine(
    client: httpx.Client,
) -> None:
    for origin, status in (("https://xyzzy.example", 403), ("http://localhost:3000", 200)):
        answer = client.get("/v1/assign/plain/a", headers={"origin": origin})
        assert answer.status_code == status
        if status == 403:
            refused(answer, 403)


@pytest.mark.parametrize(
    ("path", "body", "near"),
    [
        ("/v1/assign", {"unit": "u", "experimnt": "checkout"}, "experiment"),
        ("/v1/resolve", {"unit": "u", "flags": ["button"], "attrbutes": {}}, "attributes"),
        ("/v1/explain", {"unit": "u", "experiment": "checkout", "atributes": {}}, "attributes"),
        ("/v1/kept/read", {"experiment": "e", "iteration": 1, "unit": ["u"]}, "units"),
        ("/v1/kept", {"rows": [{"experiment": "e", "unt": "u"}]}, "unit"),
    ],
)
def test_an_unknown_field_is_refused_with_the_known_one_that_is_nearest(
    client: httpx.Client, path: str, body: dict[str, Any], near: str
) -> None:
    answer = client.post(path, json=body)
    assert answer.status_code == 400
    assert answer.json()["detail"].endswith(f"not known here; do you mean {near!r}?")
    far = client.post("/v1/assign", json={"unit": "u", MARK: 1}).json()["detail"]
    assert far.endswith("not known here; /docs has those that are")
