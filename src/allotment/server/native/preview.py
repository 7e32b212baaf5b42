"""`POST /v1/preview`: what commands would do, before anything is done; and two revisions compared.

To read is enough for both: they tell nothing that the catalog does not tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Annotated, Any, Final

from fastapi import APIRouter
from pydantic import AfterValidator, Field, WithJsonSchema
from starlette.requests import Request
from starlette.responses import Response

from allotment.change.diff import diff
from allotment.dialects.wire.model import DIGITS, Body, Model
from allotment.engine.moves import Moved
from allotment.model.plain import to_plain
from allotment.server.api.fields import Command as NativeCommand
from allotment.server.api.fields import Move as NativeMove
from allotment.server.api.fields import Revision
from allotment.server.api.operation import ref
from allotment.server.api.route import Json, Query, Reader, Route
from allotment.server.http.answer import Answer, as_json, respond
from allotment.server.http.etags import etag
from allotment.server.http.limits import BODY_DEPTH_MAX, LISTS_BYTES_MAX, REVISION_MAX
from allotment.server.http.problems import problem_of
from allotment.server.native.commands import CommandsBody, commands_in
from allotment.server.writes.change import holding, node_of, version_of
from allotment.server.writes.conditions import check_conditions
from allotment.server.writes.preview import LINES_MAX, UNITS_MAX, AskedUnits, Preview, preview
from allotment.words.commands import Planned, planned

router: Final = APIRouter(route_class=Route, tags=["native"])


def _units(tree: Any) -> Any:
    if tree is not None and not isinstance(tree, list):
        raise ValueError("a list of units belongs here")
    if tree is not None and len(tree) > UNITS_MAX:
        raise ValueError(f"at most {UNITS_MAX:,} units belong here; ask about some of them")
    return tree


_UNIT: Final = {
    "oneOf": [
        {"type": "string"},
        {"type": "integer"},
        {"type": "object", "additionalProperties": {"type": ["string", "integer"]}},
    ]
}


class PreviewBody(CommandsBody):
    """Commands, and units to be told about."""

    # Read off the event loop, as there may be many.
    units: Annotated[
        Any,
        AfterValidator(_units),
        WithJsonSchema({"type": ["array", "null"], "items": _UNIT, "maxItems": UNITS_MAX}),
        Field(description="Units, each a key, or keys by kind."),
    ] = None
    attributes: Annotated[
        Any,
        WithJsonSchema({"type": ["array", "object", "null"]}),
        Field(
            description="What is known of the units: a mapping a unit, or a column of values an"
            " attribute."
        ),
    ] = None


class Line(Model):
    """A command in words."""

    line: str
    details: Annotated[
        list[str], Field(description="Differences that the command makes and does not tell.")
    ]


class Cell(Model):
    """How many units have one treatment, and would get another; null for none."""

    before: str | None
    after: str | None
    units: Annotated[int, Field(ge=1)]


class UnitsMoved(Model):
    """What the units that are asked about would get in an experiment."""

    units: int
    moved: Annotated[int, Field(description="They go from one treatment to another.")]
    gained: Annotated[int, Field(description="They get a treatment and had none.")]
    lost: Annotated[int, Field(description="They have a treatment and would get none.")]
    cells: list[Cell]


class Previewed(Model):
    """What the commands would do, or why they would be refused."""

    revision: Annotated[Revision, Field(description="What it is compared with.")]
    refusal: Annotated[
        Any,
        WithJsonSchema({"anyOf": [ref("Problem"), {"type": "null"}]}),
        Field(description="What `POST /v1/commands` would answer instead; null where it would do."),
    ]
    lines: Annotated[list[Line], Field(max_length=LINES_MAX)]
    left_out: Annotated[int, Field(ge=0, description="Commands that `lines` has no line of.")]
    touched: Annotated[list[str], Field(description="Experiments that may answer otherwise.")]
    moves: list[NativeMove]
    units: Annotated[
        dict[str, UnitsMoved],
        Field(description="By experiment that is touched; empty where no units are asked about."),
    ]


@router.post(
    "/v1/preview",
    summary="Preview a change by commands",
    response_model=Previewed,
    openapi_extra={"headers": ("IfMatch", "IfNoneMatch")},
)
async def post_preview(
    request: Request,
    caller: Reader,
    body: Annotated[PreviewBody, Json(PreviewBody, LISTS_BYTES_MAX, BODY_DEPTH_MAX)],
) -> Response:
    """What the same body would do at `/v1/commands`: nothing is done here.

    `If-Match` takes the snapshot's ETag, as there: 412 says that the catalog has changed since.
    """
    node = node_of(request)
    served = node.served(caller.space)
    check_conditions(request, served.stored, lambda _stored: None)

    def kept(experiment: str, iteration: int, units: Sequence[str]) -> dict[str, Sequence[str]]:
        return node.store_at(caller.space).kept_of(experiment, iteration, units)

    def told() -> Answer:
        asked = None if body.units is None else AskedUnits(body.units, body.attributes)
        try:
            commands = commands_in(body.commands)
            held.append(commands)
            found = preview(served, commands, asked, kept)
        finally:  # to free what is large takes a while, too
            for tree in (body.units, body.attributes):
                if isinstance(tree, list | dict):
                    tree.clear()
        headers = [("allotment-revision", str(served.revision))]
        version = version_of(served.stored, None)
        if version:
            headers.append(("etag", etag(version)))
        return as_json(_shown(found, served.revision, len(commands)), headers=headers)

    async with holding(request) as held:
        # One after the other: what is made of a large change takes the memory of one.
        return respond(await node.rebuild(told))


def _shown(found: Preview, revision: int, commands: int) -> Previewed:
    return Previewed(
        revision=revision,
        refusal=None if found.refusal is None else problem_of(found.refusal),
        lines=[_line(each) for each in found.lines],
        left_out=commands - len(found.lines),
        touched=[*found.touched],
        moves=to_plain(found.moves),
        units={key: _moved(each) for key, each in found.units.items()},
    )


def _line(one: Planned) -> Line:
    return Line(line=one.line, details=[*one.details])


def _moved(one: Moved) -> UnitsMoved:
    cells = [Cell(before=a, after=b, units=count) for (a, b), count in one.cells.items()]
    return UnitsMoved(
        units=one.units, moved=one.moved, gained=one.gained, lost=one.lost, cells=cells
    )


_Past = Annotated[int, Field(ge=0, le=REVISION_MAX), DIGITS]


class ComparedQuery(Body):
    """Two revisions; the second may be the earlier one."""

    before: Annotated[_Past, Field(alias="from", description="The revision that changes.")]
    after: Annotated[_Past, Field(alias="to", description="The revision that it becomes.")]


class ComparedRevisions(Model):
    """How one revision becomes another."""

    before: Revision = Field(alias="from")
    after: Revision = Field(alias="to")
    lines: Annotated[list[Line], Field(max_length=LINES_MAX)]
    left_out: Annotated[int, Field(ge=0, description="Commands that `lines` has no line of.")]
    commands: Annotated[
        list[NativeCommand],
        Field(description="Sent to `/v1/commands`, they make the one the other: a roll back."),
    ]


@router.get("/v1/compare", summary="Compare two revisions", response_model=ComparedRevisions)
async def compare_revisions(
    request: Request, caller: Reader, query: Annotated[ComparedQuery, Query(ComparedQuery)]
) -> Response:
    """The commands that lead from one revision to the other, in words and as they are sent."""
    node = node_of(request)

    def told() -> Answer:
        store = node.store_at(caller.space)
        base, goal = store.catalog(query.before), store.catalog(query.after)
        commands = diff(base, goal)
        lines = [_line(each) for each in islice(planned(commands, base), LINES_MAX)]
        shown = ComparedRevisions.model_construct(
            before=query.before,
            after=query.after,
            lines=lines,
            left_out=len(commands) - len(lines),
            commands=to_plain(commands),
        )
        return as_json(shown)

    return respond(await node.rebuild(told))
