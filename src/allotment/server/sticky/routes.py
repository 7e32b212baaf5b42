"""`/v1/kept`: what is kept for a unit, and the way in for what was assigned elsewhere."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Annotated, Final

from fastapi import APIRouter, Path
from pydantic import Field
from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response

from allotment.dialects.wire.model import DIGITS, LEFT_OUT, Body, Maybe, Model
from allotment.errors import NotFound
from allotment.model.catalog import Catalog
from allotment.model.instant import show_instant
from allotment.model.limits import ITERATIONS_MAX
from allotment.server.api.fields import Moment
from allotment.server.api.route import Content, Query, Reader, Route, Writer
from allotment.server.http.answer import JSON, Answer, as_json, respond
from allotment.server.http.limits import LISTS_BYTES_MAX
from allotment.server.http.media import MediaForm, form_given
from allotment.server.http.refusals import UnsupportedMedia
from allotment.server.http.requests import body_of, json_body_of, single
from allotment.server.sticky.keep import KeptCounts, keep_rows
from allotment.server.sticky.rows import (
    StickyImport,
    StickyRequest,
    checked,
    read_asked,
    read_document,
    read_lines,
)
from allotment.server.sync.spaces import Served
from allotment.server.writes.change import holding, node_of
from allotment.store import StickyKey, StickyTreatment, Store


class _Unit(Convertor[str]):
    """The rest of a path, line feeds included."""

    regex = "(?s:.+)"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("unit", _Unit())

router: Final = APIRouter(route_class=Route, tags=["sticky"])

# So many are kept in one transaction, which blocks other writers.
_AT_ONCE: Final = 5_000

log: Final = logging.getLogger("allotment.server")


class StickyCounts(Model):
    """What came of rows."""

    kept: Annotated[int, Field(description="Rows that are kept from now on.")]
    already_kept: Annotated[int, Field(description="Rows whose unit had a treatment: it stays.")]
    differing: Annotated[int, Field(description="Those of them where it is another treatment.")]


class StickyTreatments(Model):
    """What is kept for units, in the order of the request."""

    kept: list[tuple[str, ...]]


class StickyAssignment(Model):
    """What is kept for a unit in an iteration."""

    experiment: str
    iteration: int
    unit: str
    treatment: str
    revision: Annotated[int, Field(description="The revision that it was given at.")]
    at: Moment


class StickyQuery(Body):
    """The iteration that is asked for."""

    iteration: Annotated[
        Maybe[Annotated[int, Field(ge=1, le=ITERATIONS_MAX), DIGITS]],
        Field(description="The number of an iteration; default: the live one, else the last."),
    ] = LEFT_OUT


@router.post(
    "/v1/kept",
    summary="Keep assignments that were made elsewhere",
    response_model=StickyCounts,
    openapi_extra={
        "content": Content(
            {
                JSON: StickyImport,
                MediaForm.NDJSON.value: {
                    "type": "string",
                    "format": "binary",
                    "description": "A line is a row.",
                },
            },
            {"rows": [{"experiment": "checkout", "unit": "user-1", "treatment": "green"}]},
        )
    },
)
async def keep(request: Request, caller: Writer) -> Response:
    """All rows are looked at before one is kept.

    Each names an experiment that keeps assignments and of which an iteration is live, a treatment
    of it, and a unit that is not outside the experiment's part of its layer. What is kept already
    stays as it is, so that the same rows may be sent again. In JSON or NDJSON, at most 64 MiB.
    """
    form = form_given(single(request, "content-type"))
    if form is MediaForm.ARROW:
        raise UnsupportedMedia("rows are JSON or NDJSON, in UTF-8", "headers.Content-Type")
    body = await body_of(request, LISTS_BYTES_MAX)
    node = node_of(request)
    served = node.served(caller.space)
    store = node.store_at(caller.space)
    counts = {"kept": 0, "already_kept": 0, "differing": 0}
    async with holding(request) as held:
        held.append(await node.run(_sticky_keys, served.stored.catalog, body, form))
        for first in range(0, len(held[0]), _AT_ONCE):
            some = held[0][first : first + _AT_ONCE]
            found = await node.run(_keep, store, some, served)
            counts = {name: counts[name] + each for name, each in found._asdict().items()}
    about = {"space": caller.space, "who": caller.who, **counts}
    log.info("assignments made elsewhere are kept", extra={"fields": about})
    return respond(as_json(StickyCounts(**counts)))


@router.post(
    "/v1/kept/read",
    operation_id="read_kept",
    summary="Read what is kept for many units",
    response_model=StickyTreatments,
    openapi_extra={
        "content": Content(
            {JSON: StickyRequest},
            {"experiment": "checkout", "iteration": 1, "units": ["user-1", "user-2"]},
        )
    },
)
async def read_kept(request: Request, caller: Reader) -> Response:
    """For each unit, the treatments that are kept for it in that iteration.

    In the order of the request and, for a unit, in the order of keeping: the first that the
    iteration has counts. At most 10,000 units.
    """
    body = await json_body_of(request, LISTS_BYTES_MAX)
    node = node_of(request)
    store = node.store_at(caller.space)

    def answer() -> Answer:
        asked = read_asked(body)
        sticky_keys = [StickyKey(asked.experiment, asked.iteration, unit) for unit in asked.units]
        found = store.sticky(sticky_keys)
        return as_json(
            StickyTreatments(
                kept=[_treatments(found.get(sticky_key)) for sticky_key in sticky_keys]
            )
        )

    return respond(await node.run(answer))


@router.get(
    "/v1/kept/{experiment}/{unit:unit}",
    operation_id="get_kept",
    summary="Get what is kept for a unit",
    response_model=StickyAssignment,
)
async def get_kept(
    request: Request,
    caller: Reader,
    key: Annotated[str, Path(alias="experiment", description="The experiment's key.")],
    unit: Annotated[str, Path(description="The unit's key as text.")],
    query: Annotated[StickyQuery, Query(StickyQuery)],
) -> Response:
    """What is kept for a unit in an iteration of an experiment."""
    node = node_of(request)
    experiment = node.served(caller.space).stored.catalog.experiments.get(key)
    if experiment is None:
        raise NotFound("there is no such experiment", "path")
    number = experiment.current.number if query.iteration is None else query.iteration
    sticky_key = StickyKey(key, number, unit)
    kept = (await node.run(node.store_at(caller.space).sticky, [sticky_key])).get(sticky_key)
    if kept is None:
        raise NotFound("nothing is kept for this unit in that iteration", "path")
    of_it = [each.treatments for each in experiment.iterations if each.number == number]
    found = kept.standing([treatment.key for each in of_it for treatment in each]) or kept
    shown = StickyAssignment(
        **sticky_key._asdict(),
        treatment=found.treatment,
        revision=found.revision,
        at=show_instant(found.at),
    )
    return respond(as_json(shown))


def _treatments(found: StickyTreatment | None) -> tuple[str, ...]:
    return () if found is None else found.treatments


def _sticky_keys(
    catalog: Catalog, body: bytes | bytearray, form: MediaForm
) -> list[tuple[StickyKey, str]]:
    rows = read_document(body) if form is MediaForm.JSON else read_lines(body)
    return checked(catalog, rows)


def _keep(store: Store, rows: Sequence[tuple[StickyKey, str]], served: Served) -> KeptCounts:
    return keep_rows(store, rows, served.stored.catalog)
