"""`/v1/kept`: what is kept for a unit, and the way in for what was assigned elsewhere."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final

from fastapi import APIRouter
from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response

from allotment.errors import NotFound
from allotment.model.catalog import Catalog
from allotment.model.instant import show_instant
from allotment.model.limits import ITERATIONS_MAX
from allotment.server.answer import as_json, respond
from allotment.server.assign.batch.media import Form, form_given
from allotment.server.conditional import admit, node_of
from allotment.server.kept.rows import UNITS_MAX, checked, read_asked, read_document, read_lines
from allotment.server.limits import LISTS_BYTES_MAX
from allotment.server.operation import closed, in_path, in_query, operation
from allotment.server.refusals import UnsupportedMedia
from allotment.server.requests import body_of, json_body_of, query_of, single, whole
from allotment.server.served import Served
from allotment.store import Kept, Lot, Scope, Store


class _Unit(Convertor[str]):
    """The rest of a path, line feeds included."""

    regex = "(?s:.+)"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("unit", _Unit())

router: Final = APIRouter()

# So many are kept in one transaction, in which nobody else can write.
_AT_ONCE: Final = 5_000

_TEXT: Final = {"type": "string"}
_COUNT: Final = {"type": "integer", "minimum": 0}
_ROWS: Final = closed(
    {
        "rows": {
            "type": "array",
            "items": closed(
                {
                    "experiment": _TEXT,
                    "unit": {"oneOf": [_TEXT, {"type": "integer"}]},
                    "treatment": _TEXT,
                }
            ),
        }
    },
    example={"rows": [{"experiment": "checkout", "unit": "user-1", "treatment": "green"}]},
)
_COUNTED: Final = closed(
    {
        "kept": {**_COUNT, "description": "Rows that are kept from now on."},
        "already_kept": {**_COUNT, "description": "Rows whose unit had a treatment: it stays."},
        "differing": {**_COUNT, "description": "Those of them where it is another treatment."},
    }
)
_KEPT: Final = closed(
    {
        "experiment": _TEXT,
        "iteration": {"type": "integer", "minimum": 1},
        "unit": _TEXT,
        "treatment": _TEXT,
        "revision": {**_COUNT, "description": "The revision that it was given at."},
        "at": {"type": "string", "format": "date-time"},
    }
)
_ASKED: Final = closed(
    {
        "experiment": _TEXT,
        "iteration": {"type": "integer", "minimum": 1, "maximum": ITERATIONS_MAX},
        "units": {"type": "array", "items": _TEXT, "maxItems": UNITS_MAX},
    },
    example={"experiment": "checkout", "iteration": 1, "units": ["user-1", "user-2"]},
)
_READ: Final = closed({"kept": {"type": "array", "items": {"type": "array", "items": _TEXT}}})
_LINES: Final = {"type": "string", "format": "binary", "description": "A line is a row."}

log: Final = logging.getLogger("allotment.server")


def _importing() -> dict[str, Any]:
    said = operation(
        "Keep assignments that were made elsewhere",
        Scope.WRITE,
        {200: _COUNTED},
        description="All rows are looked at before one is kept: each names an experiment that keeps"
        " assignments and of which an iteration is live, a treatment of it, and a unit that is not"
        " outside the experiment's part of its layer. What is kept already stays as it is, so that"
        " the same rows may be sent again. In JSON or NDJSON, at most 64 MiB.",
        body=_ROWS,
        changes=True,
        tag="assignments",
    )
    said["requestBody"]["content"][Form.NDJSON.value] = {"schema": _LINES}
    return said


@router.post("/v1/kept", response_class=Response, operation_id="keep", openapi_extra=_importing())
async def keep(request: Request) -> Response:
    """Keep what was assigned elsewhere."""
    query_of(request)
    caller = await admit(request, Scope.WRITE)
    form = form_given(single(request, "content-type"))
    if form is Form.ARROW:
        raise UnsupportedMedia("rows are JSON or NDJSON, in UTF-8", "headers.Content-Type")
    body = await body_of(request, LISTS_BYTES_MAX)
    node = node_of(request)
    served = node.served(caller.space)
    lots = await node.run(_lots, served.stored.catalog, body, form)
    store = node.store_at(caller.space)
    counts = {"kept": 0, "already_kept": 0, "differing": 0}
    rest = iter(lots)
    while some := list(islice(rest, _AT_ONCE)):
        found = await node.run(_keep, store, some, served)
        counts = {name: counts[name] + found[name] for name in counts}
    about = {"space": caller.space, "who": caller.who, **counts}
    log.info("assignments made elsewhere are kept", extra={"fields": about})
    return respond(as_json(counts))


@router.post(
    "/v1/kept/read",
    response_class=Response,
    operation_id="read_kept",
    openapi_extra=operation(
        "Read what is kept for many units",
        Scope.READ,
        {200: _READ},
        description="For each unit, in the order of the request, the treatments that are kept for"
        " it in that iteration, in the order of keeping: the first that the iteration has counts."
        " At most 10,000 units.",
        body=_ASKED,
        refused=(413, 415),
        tag="assignments",
    ),
)
async def read_kept(request: Request) -> Response:
    """What is kept for some units in an iteration of an experiment."""
    query_of(request)
    caller = await admit(request, Scope.READ)
    asked = read_asked(await json_body_of(request, LISTS_BYTES_MAX))
    lots = [Lot(asked.experiment, asked.iteration, unit) for unit in asked.units]
    node = node_of(request)
    found = await node.run(node.store_at(caller.space).kept, lots)
    return respond(as_json({"kept": [_treatments(found.get(lot)) for lot in lots]}))


@router.get(
    "/v1/kept/{experiment}/{unit:unit}",
    response_class=Response,
    operation_id="get_kept",
    openapi_extra=operation(
        "Get what is kept for a unit",
        Scope.READ,
        {200: _KEPT},
        parameters=(
            in_path("experiment", {**_TEXT, "minLength": 1}, "The experiment's key."),
            in_path("unit", {**_TEXT, "minLength": 1}, "The unit's key as text."),
            in_query(
                "iteration",
                {"type": "integer", "minimum": 1, "maximum": ITERATIONS_MAX},
                "The number of an iteration; default: the live one, else the last.",
            ),
        ),
        tag="assignments",
    ),
)
async def get_kept(request: Request) -> Response:
    """What is kept for a unit in an iteration of an experiment."""
    asked = query_of(request, ("iteration",))
    caller = await admit(request, Scope.READ)
    node = node_of(request)
    key, unit = request.path_params["experiment"], request.path_params["unit"]
    experiment = node.served(caller.space).stored.catalog.experiments.get(key)
    if experiment is None:
        raise NotFound("there is no such experiment", "path")
    number = experiment.current.number
    if "iteration" in asked:
        number = whole(asked["iteration"], "query.iteration", 1, ITERATIONS_MAX)
    lot = Lot(key, number, unit)
    kept = (await node.run(node.store_at(caller.space).kept, [lot])).get(lot)
    if kept is None:
        raise NotFound("nothing is kept for this unit in that iteration", "path")
    of_it = [each.treatments for each in experiment.iterations if each.number == number]
    found = kept.standing([treatment.key for each in of_it for treatment in each]) or kept
    shown = {
        **lot._asdict(),
        "treatment": found.treatment,
        "revision": found.revision,
        "at": show_instant(found.at),
    }
    return respond(as_json(shown))


def _treatments(found: Kept | None) -> tuple[str, ...]:
    return () if found is None else found.treatments


def _lots(catalog: Catalog, body: bytes, form: Form) -> list[tuple[Lot, str]]:
    rows = read_document(body) if form is Form.JSON else read_lines(body)
    return checked(catalog, rows)


def _keep(store: Store, rows: Sequence[tuple[Lot, str]], served: Served) -> dict[str, int]:
    """Keep some rows, and count what came of each."""
    first: dict[Lot, str] = {}
    for lot, treatment in rows:
        first.setdefault(lot, treatment)
    names = {lot: served.engine.snapshot.plans[lot.experiment].names for lot in first}
    there = store.kept(first)
    new = {
        lot: treatment
        for lot, treatment in first.items()
        if lot not in there or there[lot].standing(names[lot]) is None
    }
    now = there
    if new:
        behind = {lot: there[lot] for lot in new if lot in there}
        when = datetime.now(UTC)
        now |= store.keep(new, revision=served.revision, when=when, behind=behind)
    standing = {lot: now[lot].standing(names[lot]) for lot in first}
    treatments = {lot: each.treatment for lot, each in standing.items() if each is not None}
    kept = sum(treatments.get(lot) == treatment for lot, treatment in new.items())
    differing = sum(treatments.get(lot) != treatment for lot, treatment in rows)
    return {"kept": kept, "already_kept": len(rows) - kept, "differing": differing}
