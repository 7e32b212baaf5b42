"""What is measured, as data: a question to a server, and how its answers are checked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final
from urllib.request import Request, urlopen

import msgspec
import pyarrow as pa

import allotment
from allotment import Engine
from benchmarks.http.constant import ANSWER
from benchmarks.load.questions import QUESTIONS, Question, batch_units, posts, visitors
from benchmarks.load.servers import TOKEN
from benchmarks.load.shop import shop

# Of the place of a unit and the bytes of its answer: what is wrong, or nothing.
Check = Callable[[int, bytes], str]


@dataclass(frozen=True)
class Row:
    """One row of the table.

    word    what must be known to read its figures
    beside  the row that its ratios are to; the first of all where None
    """

    name: str
    server: str
    question: Question
    check: Check
    word: str = ""
    beside: Row | None = None


@cache
def engine() -> Engine:
    """What deals as asked: an engine in this process over the catalog of the servers."""
    return allotment.load(shop())


def constant(_place: int, answer: bytes) -> str:
    return "" if answer == ANSWER else f"it answered {answer[:80]!r}"


def assigned(place: int, answer: bytes) -> str:
    unit, country = visitors()[place]
    wanted = engine().assign("exp_0", unit, {"country": country}).treatment
    given = msgspec.json.decode(answer)["assignments"]["exp_0"]["treatment"]
    return "" if given == wanted else f"unit {unit} got {given}, not {wanted}"


def evaluated(place: int, answer: bytes) -> str:
    unit, country = visitors()[place]
    wanted = engine().resolve("button", unit, {"country": country}).value
    given = msgspec.json.decode(answer)["value"]
    return "" if given == wanted else f"unit {unit} got {given}, not {wanted}"


def units_assigned(_place: int, answer: bytes) -> str:
    """Of a batch in any form, each unit of which has the country that it has in a line."""
    asked, known = batch_units()
    if answer.startswith(b"\xff\xff\xff\xff"):
        with pa.ipc.open_stream(answer) as reader:
            found = reader.read_all().column("exp_0").to_pylist()
    elif answer.startswith(b'{"unit":'):
        found = _treatments(msgspec.json.Decoder().decode_lines(answer))
        return _dealt(found, engine().assign_many("exp_0", asked, known).names())
    else:
        found = _treatments(msgspec.json.decode(answer)["units"])
    return _dealt(found, engine().assign_many("exp_0", asked).names())


def _treatments(rows: list[Any]) -> list[str | None]:
    return [row["assignments"]["exp_0"]["treatment"] for row in rows]


def _dealt(found: Sequence[str | None], wanted: Sequence[str | None]) -> str:
    if len(found) != len(wanted):
        return f"it answered for {len(found)} units"
    wrong = [place for place, each in enumerate(wanted) if found[place] != each]
    return f"{len(wrong)} units got another treatment" if wrong else ""


def fault(url: str, row: Row) -> str:
    """What is wrong with the answers to the requests of a row, each asked once; or nothing."""
    question = row.question
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": question.media}
    asked = [(target, body) for target in question.targets for body in question.bodies]
    for place, (target, body) in enumerate(asked):
        request = Request(f"{url}{target}", body or None, headers, method=question.method)
        with urlopen(request) as answer:
            if answer.status != 200:
                return f"it answered {answer.status} to {question.method} {target}"
            wrong = row.check(place, answer.read())
        if wrong:
            return wrong
    return ""


def _context(unit: str, country: str) -> object:
    return {"context": {"targetingKey": unit, "country": country}}


_POST, _GET = QUESTIONS[:2]
_BATCHES = [each for each in QUESTIONS if each.per > 1]
_CONST = replace(_GET, targets=["/constant"])
_OFREP = posts("OFREP, one flag", "/ofrep/v1/evaluate/flags/button", _context)

CONSTANT: Final = "a constant: it reads no body and decides nothing"
FLOOR: Final = "a constant for whatever comes: no request is read, no Python of a server runs"
KEPT: Final = "a constant that it keeps in Rust: no Python runs, and the request has no body"
SLOW: Final = "with `ALLOTMENT_FAST_PATH=false`, each request goes through a task"


def _of_batch(question: Question) -> tuple[Row, Row]:
    """The raw application asked for a batch, and ours beside it."""
    raw = Row(f"raw ASGI application, {question.name}", "raw", question, units_assigned)
    name = f"Allotment, {question.name}"
    return raw, Row(name, "allotment", question, units_assigned, beside=raw)


REFERENCE: Final = Row("raw ASGI application (uvicorn)", "raw", _POST, assigned)
ROWS: Final = (
    REFERENCE,
    Row("uvloop, constant", "uvloop", _POST, constant, FLOOR),
    Row("nginx, constant", "nginx", _POST, constant, CONSTANT),
    Row("Robyn, constant kept in Rust", "robyn", _CONST, constant, KEPT),
    Row("Robyn, constant", "robyn", _POST, constant, CONSTANT),
    Row("Granian RSGI, constant", "granian", _POST, constant, CONSTANT),
    Row("BlackSheep (Granian), constant", "blacksheep", _POST, constant, CONSTANT),
    Row("FastAPI route (uvicorn)", "fastapi", _POST, assigned),
    Row("Allotment, POST /v1/assign", "allotment", _POST, assigned),
    Row("Allotment, GET by address", "allotment", _GET, assigned),
    Row("Allotment, OFREP, one flag", "allotment", _OFREP, evaluated),
    Row("Allotment, POST, no fast path", "slow path", _POST, assigned, SLOW),
    *(row for question in _BATCHES for row in _of_batch(question)),
)
