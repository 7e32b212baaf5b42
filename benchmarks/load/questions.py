"""What is asked of both servers, as wrk sends it, and what it means to the raw application."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import quote

import pyarrow as pa

from benchmarks.catalogs import COUNTRIES
from benchmarks.harness import UNITS

EXPERIMENTS = 100
BATCH = 10_000

JSON = "application/json"
ARROW = "application/vnd.apache.arrow.stream"
NDJSON = "application/x-ndjson"


@dataclass(frozen=True)
class Question:
    """One row of the table: requests that differ in their units.

    per     units a request asks for
    """

    name: str
    method: str
    targets: Sequence[str]
    bodies: Sequence[bytes]
    media: str = JSON
    per: int = 1


def visitors() -> list[tuple[str, str]]:
    return [(unit, COUNTRIES[place % len(COUNTRIES)]) for place, unit in enumerate(UNITS[:256])]


def posts(name: str, target: str, body: Callable[[str, str], object]) -> Question:
    bodies = [json.dumps(body(unit, country)).encode() for unit, country in visitors()]
    return Question(name, "POST", [target], bodies)


def _one(unit: str, country: str) -> object:
    return {"unit": unit, "attributes": {"country": country}, "experiment": "exp_0"}


def _all(unit: str, country: str) -> object:
    return {"unit": unit, "attributes": {"country": country}}


def _flag(unit: str, country: str) -> object:
    return {"unit": unit, "attributes": {"country": country}, "flag": "button"}


def _by_address() -> Question:
    known = [(unit, quote(json.dumps({"country": country}))) for unit, country in visitors()]
    targets = [f"/v1/assign/exp_0/{unit}?attributes={text}" for unit, text in known]
    return Question("GET an assignment by its address", "GET", targets, [b""])


def batch_units() -> tuple[list[str], list[dict[str, str]]]:
    """The units of a batch, and what is known of each where the batch says it."""
    units = [f"{UNITS[place % 500][:-5]}{place:05d}" for place in range(BATCH)]
    return units, [{"country": COUNTRIES[place % len(COUNTRIES)]} for place in range(BATCH)]


def _document() -> Question:
    body = json.dumps({"units": batch_units()[0], "experiments": ["exp_0"]}).encode()
    return Question("batch of 10,000, JSON", "POST", ["/v1/assign/batch"], [body], per=BATCH)


def _stream() -> Question:
    table = pa.table({"unit": batch_units()[0]})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    target = "/v1/assign/batch?experiment=exp_0"
    body = sink.getvalue().to_pybytes()
    return Question("batch of 10,000, Arrow", "POST", [target], [body], ARROW, BATCH)


def _lines() -> Question:
    rows = zip(*batch_units(), strict=True)
    lines = [json.dumps({"unit": unit, "attributes": known}) for unit, known in rows]
    target = "/v1/assign/batch?experiment=exp_0"
    body = "\n".join(lines).encode()
    name = "batch of 10,000, NDJSON with attributes"
    return Question(name, "POST", [target], [body], NDJSON, BATCH)


QUESTIONS = [
    posts("POST one experiment of 100", "/v1/assign", _one),
    _by_address(),
    posts("POST all 100 experiments", "/v1/assign", _all),
    posts("POST one flag", "/v1/resolve", _flag),
    _document(),
    _stream(),
    _lines(),
]
