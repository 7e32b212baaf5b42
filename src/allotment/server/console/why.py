"""The page "Why?": what a unit gets, and every check that led there, drawn."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from allotment.compile.experiment import unknown
from allotment.engine import Engine
from allotment.engine.explanation import Check, Explanation
from allotment.engine.resolve import resolve
from allotment.errors import AllotmentError, InvalidChange, InvalidInput, NotFound
from allotment.model.assignment import Assignment, Resolution
from allotment.server.api.route import Query
from allotment.server.assign.bodies import ExplainRequest
from allotment.server.assign.effort import Size, effort
from allotment.server.assign.explained import Explained
from allotment.server.assign.shown import Shown
from allotment.server.console.charts import Mark, Stretch
from allotment.server.console.question import Question, WhyQuery, read_question
from allotment.server.console.reasons import CHECK_WORDS, REASON_WORDS
from allotment.server.console.route import Looking, PageRoute, shown
from allotment.server.sync.node import Node
from allotment.server.sync.spaces import Served
from allotment.server.writes.change import node_of

router: Final = APIRouter(route_class=PageRoute)

LINES_MAX: Final = 500
_EXPERIMENTS_OF_A_FLAG: Final = 50

# A range of buckets as the kernel says it: "[0, 500000) control".
_RANGE: Final = re.compile(r"\[(\d+), (\d+)\) (\S+)(?:, |\Z)")


@dataclass(frozen=True, slots=True)
class CheckLine:
    """A check, what it asks in words, and where it draws the line of buckets that it compares."""

    check: Check
    asks: str
    stretches: tuple[Stretch, ...]
    mark: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class WhyAnswer:
    """Why a unit gets what it gets in one experiment, at a revision."""

    assignment: Assignment
    means: str
    checks: tuple[CheckLine, ...]
    revision: int


@dataclass(frozen=True, slots=True)
class UnitOverview:
    """A unit in all experiments: those that give a treatment first; how often each reason came."""

    lines: tuple[Assignment, ...]
    reasons: tuple[tuple[str, int], ...]
    total: int


@router.get("/{project}/{environment}/why")
async def get_why(
    request: Request, visitor: Looking, query: Annotated[WhyQuery, Query(WhyQuery)]
) -> Response:
    """The form, and where it is filled in the answer."""
    node, explained = node_of(request), request.app.state.explained
    served = node.served(visitor.caller.space)
    found: dict[str, Any] = {}
    fault: AllotmentError | None = None
    if query.unit or query.experiment or query.flag:
        try:
            found = await _found(node, explained, served, read_question(query))
        except (InvalidInput, InvalidChange) as error:
            fault = error
    none = {"answers": (), "resolution": None, "overview": None, "flag": None}
    page = {**none, **found, "query": query, "fault": fault, "means": REASON_WORDS}
    page["explain"] = partial(_link, query)
    status = 200 if fault is None else fault.status_hint
    return await shown(request, visitor, "why.html", lambda _: page, status)


def _link(query: WhyQuery, experiment: str) -> str:
    """Where the same unit is explained in one experiment."""
    said = {**query.plain(), "flag": "", "experiment": experiment}
    return f"?{urlencode({name: value for name, value in said.items() if value})}"


async def _found(
    node: Node, explained: Explained, served: Served, asked: Question
) -> dict[str, Any]:
    if asked.experiment:
        return {"answers": [await _answer(explained, served, asked, asked.experiment)]}
    if asked.flag:
        return await _of_flag(explained, served, asked)
    if asked.revision not in (None, served.revision):
        raise InvalidInput(
            "an earlier revision is asked of one experiment or one flag: name it", "query.revision"
        )
    return {"overview": await node.run(unit_overview, served, asked)}


async def _of_flag(explained: Explained, served: Served, asked: Question) -> dict[str, Any]:
    catalog = await explained.catalog(served, asked.revision)
    flag = catalog.flags.get(asked.flag)
    if flag is None:
        raise NotFound("there is no such flag at that revision", "query.flag")
    keys = [each.experiment for each in flag.experiments]
    if len(keys) > _EXPERIMENTS_OF_A_FLAG:
        raise InvalidInput(
            f"this flag has {len(keys):,} experiments; ask about one of them", "query.flag"
        )
    answers = {key: await _answer(explained, served, asked, key) for key in keys}
    resolution: Resolution = resolve(
        flag,
        lambda key: answers[key].assignment if key in answers else unknown(key),
        lambda key: catalog.experiments[key].live is not None,
        {},
    )
    return {"answers": list(answers.values()), "resolution": resolution, "flag": flag}


async def _answer(
    explained: Explained, served: Served, asked: Question, experiment: str
) -> WhyAnswer:
    wanted = ExplainRequest(experiment, asked.unit, dict(asked.attributes))
    if asked.revision is not None:
        wanted.revision = asked.revision
    return await explained.look(Shown(served), wanted, asked.text, why_answer)


def why_answer(engine: Engine, found: Explanation) -> WhyAnswer:
    """What is shown of an explanation."""
    given = found.assignment
    current = engine.catalog.experiments[given.experiment].current
    places = {each.key: place for place, each in enumerate(current.treatments)}
    checks = tuple(_check_line(each, places) for each in found.checks)
    return WhyAnswer(given, REASON_WORDS[given.reason], checks, engine.snapshot.revision)


def _check_line(check: Check, places: Mapping[str, int]) -> CheckLine:
    asks = CHECK_WORDS[check.name.partition(" ")[0]]
    if check.bucket is None:
        return CheckLine(check, asks, (), ())
    if check.name != "treatment":
        places = {"in": 0}
    marks = (Mark(check.bucket, f"bucket {check.bucket:,}"),)
    return CheckLine(check, asks, tuple(_stretches(check.bound, places)), marks)


def _stretches(bound: str, places: Mapping[str, int]) -> Iterator[Stretch]:
    """The ranges that the kernel compared with, as they stand in words."""
    for start, stop, owner in _RANGE.findall(bound):
        said = f"{owner}: buckets {int(start):,} to {int(stop) - 1:,}"
        yield Stretch(int(start), int(stop), places.get(owner), said)


def unit_overview(served: Served, asked: Question) -> UnitOverview:
    """A unit in all experiments; raises TooLarge where that is too much work."""
    engine = served.engine
    effort(Shown(served), engine.snapshot.plans, Size.of(asked.text))
    given = list(engine.assign_all(asked.unit, asked.attributes).values())
    reasons: Mapping[str, int] = Counter(str(each.reason) for each in given)
    given.sort(key=lambda each: (each.treatment is None, each.experiment))
    ordered = sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0]))
    return UnitOverview(tuple(given[:LINES_MAX]), tuple(ordered), len(given))
