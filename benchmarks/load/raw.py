"""The reference: an ASGI application that parses, asks the engine, encodes, and does nothing else.

It knows nobody's token, has no limits, and looks at no header. `uvicorn benchmarks.load.raw:app`.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, unquote

import msgspec
import pyarrow as pa

import allotment
from allotment.model.assignment import REASONS
from benchmarks.load.shop import shop


class Asked(msgspec.Struct):
    unit: str
    attributes: dict[str, Any] | None = None
    experiment: str | None = None
    flag: str | None = None


class BatchAsked(msgspec.Struct):
    units: list[str]
    experiments: list[str]


class Line(msgspec.Struct):
    unit: str
    attributes: dict[str, Any] | None = None


ARROW = b"application/vnd.apache.arrow.stream"
NDJSON = b"application/x-ndjson"

engine = allotment.load(shop())
decode = msgspec.json.Decoder(Asked).decode
decode_batch = msgspec.json.Decoder(BatchAsked).decode
decode_lines = msgspec.json.Decoder(Line).decode_lines
encode = msgspec.json.Encoder().encode
encode_lines = msgspec.json.Encoder().encode_lines


async def app(scope: Any, receive: Any, send: Any) -> None:
    path = scope["path"]
    body = b""
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    media = b"application/json"
    if path == "/v1/assign":
        answer = assign(decode(body))
    elif path == "/v1/resolve":
        answer = resolve(decode(body))
    elif path == "/v1/assign/batch" and (b"content-type", ARROW) in scope["headers"]:
        media = ARROW
        answer = stream(body)
    elif path == "/v1/assign/batch" and (b"content-type", NDJSON) in scope["headers"]:
        media = NDJSON
        answer = encode_lines(objects(decode_lines(body)))
    elif path == "/v1/assign/batch":
        answer = document(decode_batch(body))
    else:
        _, _, _, experiment, unit = path.split("/")
        text = parse_qs(scope["query_string"].decode())["attributes"][0]
        answer = assign(Asked(unquote(unit), msgspec.json.decode(text), experiment))
    headers = [(b"content-type", media), (b"content-length", str(len(answer)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})


def assign(asked: Asked) -> bytes:
    if asked.experiment is None:
        given = engine.assign_all(asked.unit, asked.attributes)
        assignments = {key: plain(each) for key, each in given.items()}
    else:
        each = engine.assign(asked.experiment, asked.unit, asked.attributes)
        assignments = {asked.experiment: plain(each)}
    return encode({"revision": engine.snapshot.revision, "assignments": assignments})


def plain(given: Any) -> dict[str, Any]:
    return {
        "treatment": given.treatment,
        "reason": given.reason,
        "variations": dict(given.variations),
        "is_control": given.is_control,
        "iteration": given.iteration,
        "revision": given.revision,
        "to_keep": given.to_keep,
    }


def resolve(asked: Asked) -> bytes:
    assert asked.flag is not None
    found = engine.resolve(asked.flag, asked.unit, asked.attributes)
    treatment = None
    if found.experiment is not None:
        given: Any = engine.assign(found.experiment, asked.unit, asked.attributes)
        treatment = given.treatment
    resolution = {
        "value": found.value,
        "variation": found.variation,
        "experiment": found.experiment,
        "treatment": treatment,
        "reason": found.reason,
    }
    return encode({"revision": engine.snapshot.revision, "resolutions": {asked.flag: resolution}})


def document(asked: BatchAsked) -> bytes:
    table = engine.assign_table(asked.units, asked.experiments)
    units = rows(asked.units, table)
    return encode({"revision": engine.snapshot.revision, "units": units})


def objects(lines: list[Line]) -> list[dict[str, Any]]:
    units = [line.unit for line in lines]
    table = engine.assign_table(units, ["exp_0"], [line.attributes for line in lines])
    return rows(units, table)


def rows(asked: list[str], table: Any) -> list[dict[str, Any]]:
    units = []
    columns = [
        (key, column.names(), [REASONS[code] for code in column.reasons.tolist()])
        for key, column in table.items()
    ]
    for place, unit in enumerate(asked):
        given = {
            key: {"treatment": names[place], "reason": reasons[place]}
            for key, names, reasons in columns
        }
        units.append({"unit": unit, "assignments": given})
    return units


def stream(body: bytes) -> bytes:
    with pa.ipc.open_stream(body) as reader:
        table = reader.read_all()
    column = engine.assign_many("exp_0", table.column("unit"))
    reasons = pa.DictionaryArray.from_arrays(pa.array(column.reasons), pa.array(list(REASONS)))
    answer = pa.table(
        {"unit": table.column("unit"), "exp_0": pa.array(column), "exp_0.reason": reasons}
    )
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, answer.schema) as writer:
        writer.write_table(answer)
    found: bytes = sink.getvalue().to_pybytes()
    return found
