"""`POST /v1/flags:resolve` and `:apply`: what flags are, and that a client showed what they are.

Bodies are the JSON of protocol buffers. The secret of a client is in one: it is a token.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, Generic, TypeVar

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from allotment.dialects.confidence.fields import ConfidenceError, ConfidenceNothing
from allotment.dialects.confidence.names import flag_name, rule_name, selector_of, variant_name
from allotment.dialects.confidence.protobuf import Message, respelled
from allotment.dialects.confidence.resolving import (
    FLAGS_MAX,
    ConfidenceApplyRequest,
    ConfidenceClient,
    ConfidenceResolvedFlag,
    ConfidenceResolveRequest,
    ConfidenceResolveResponse,
    key_of,
)
from allotment.dialects.confidence.values import as_object, filled, is_lone, schema_of
from allotment.dialects.wire.model import Model, read
from allotment.dialects.wire.notes import json_text
from allotment.dialects.wire.source import Tree, read_json
from allotment.errors import InvalidInput, Overloaded, Unauthorized
from allotment.kernel.unit import unit_key
from allotment.matching.field import lookup
from allotment.model.assignment import Resolution
from allotment.model.catalog import Catalog
from allotment.model.flag import CLIENT_DEFAULT, Flag, FlagState
from allotment.server.api.operation import HEADERS, READING, SPACE, headers_taken
from allotment.server.api.route import Content, Route
from allotment.server.assign.reading import ATTRIBUTES_BYTES_MAX, check_size
from allotment.server.assign.shown import Shown
from allotment.server.assign.unit import is_long
from allotment.server.confidence.token import Given, given_of, read_token, sign
from allotment.server.exposure_log import ExposureLog
from allotment.server.http.answer import JSON, Answer, as_json, respond
from allotment.server.http.limits import SMALL_BYTES, STRANGERS_MAX
from allotment.server.http.requests import body_read, header, json_body_of, query_of
from allotment.server.sticky.assignments import StickyAssignments
from allotment.server.sync.spaces import Served
from allotment.server.writes.change import node_of
from allotment.store import Scope

C = TypeVar("C", bound=ConfidenceClient)


async def message_of(
    request: Request, model: type[Message], *, text: bool = False, required: bool = True
) -> Tree:
    """The JSON body, its fields spelled as the model has them; a large one off the event loop."""
    body = await json_body_of(request, text=text)
    if not body and not required:
        return {}

    def tree() -> Tree:
        return respelled(read_json(body), model)

    return tree() if len(body) <= SMALL_BYTES else await node_of(request).run(tree)


@dataclass(frozen=True, slots=True)
class Asked(Generic[C]):
    """What a client that may resolve says: its secret, its body, and what is served to it."""

    secret: bytes
    served: Served
    body: C


async def _stranger_said(request: Request, model: type[ConfidenceClient]) -> Tree:
    """The body of a caller that is not known before it is read.

    Raises Overloaded where others at the same address are still sending theirs.
    """
    strangers: Counter[str] = request.app.state.strangers
    address = request.client.host if request.client else ""
    if strangers[address] >= STRANGERS_MAX:
        node_of(request).counters.shed["strangers"] += 1
        raise Overloaded("others at this address are still sending what they ask; ask again soon")
    strangers[address] += 1
    try:
        return await message_of(request, model, text=True)
    finally:
        strangers[address] -= 1
        if not strangers[address]:
            del strangers[address]


async def asked(request: Request, model: type[C]) -> Asked[C]:
    """What the caller asks, once it may.

    Raises Unauthorized for no secret or one that is no token's, and what any call raises.
    """
    query_of(request)
    tree = await _stranger_said(request, model)
    own = ConfidenceClient.model_fields
    said = {name: tree[name] for name in own if name in tree} if isinstance(tree, dict) else tree
    secret = (read(ConfidenceClient, said).clientSecret or "").encode()
    headers = request.scope["headers"]
    node = node_of(request)
    try:
        caller = node.access.caller(
            b"Bearer " + secret if secret else None,
            header(headers, b"allotment-space"),
            Scope.ASSIGN,
        )
    except Unauthorized as error:
        # How a header would say it is of no use to a caller that sends a body.
        message = str(error) if secret else "this needs a client secret"
        raise Unauthorized(message, "$.clientSecret") from None
    request.state.caller = caller
    served = await node.serve_from(caller.space, header(headers, b"allotment-min-revision"))
    if len(body_read(request)) <= SMALL_BYTES:
        return Asked(secret, served, read(model, tree))
    return Asked(secret, served, await node.run(read, model, tree))


RESOLVE: Final = "/v1/flags:resolve"
APPLY: Final = "/v1/flags:apply"

_MATCH: Final = "RESOLVE_REASON_MATCH"
_NO_MATCH: Final = "RESOLVE_REASON_NO_SEGMENT_MATCH"
_NO_KEY: Final = "RESOLVE_REASON_TARGETING_KEY_ERROR"
_EXACT: Final = 2**53 - 1

# So many values, of 16 KB each, are shown on the event loop.
_FEW: Final = 16

# A client that was offline applies late; what is older is a clock that was set meanwhile.
_AGO_MAX: Final = 7 * 24 * 60 * 60 * 1000


async def resolve_flags(request: Request) -> Response:
    """Resolve flags for the units that a context names. A flag that is not there is left out."""
    client = await asked(request, ConfidenceResolveRequest)
    body, served, space = client.body, client.served, client.served.space
    context = body.evaluationContext or {}
    if len(body_read(request)) > ATTRIBUTES_BYTES_MAX:
        check_size(len(json_text(context).encode()), "$.evaluationContext")
    node_of(request).counters.assigned[RESOLVE] += 1
    request.state.operation = "confidence_resolve"
    flags = _flags(body.flags or (), served)
    long = is_long(Shown(served), [flag.key for flag in flags], body_read(request))
    asks = (_resolve(request, served, flag, context, long=long) for flag in flags)
    found = await asyncio.gather(*asks)
    told = {flag.key: given for flag, (_, given) in zip(flags, found, strict=True)}
    if body.apply:
        _expose(request, space, told.values())

    def show() -> Answer:
        return _shown(
            ConfidenceResolveResponse(
                resolvedFlags=[
                    _show(flag, resolution, given)
                    for flag, (resolution, given) in zip(flags, found, strict=True)
                ],
                # What is applied already needs no token; that there is none must be said.
                resolveToken="" if body.apply else sign(client.secret, space, told),
                resolveId=secrets.token_hex(16),
            )
        )

    keeping: StickyAssignments = request.app.state.keeping
    return respond(show() if len(flags) <= _FEW and not long else await keeping.in_thread(show))


async def apply_flags(request: Request) -> Response:
    """Log what an earlier resolve gave in the flags that are named, when it was shown.

    The clock of a client may be wrong: its times count by how long before the sending they were,
    which is at most a week.
    """
    client = await asked(request, ConfidenceApplyRequest)
    body, space = client.body, client.served.space
    told = read_token(client.secret, space, body.resolveToken, "$.resolveToken")
    received = int(time.time() * 1000)
    given: list[tuple[Given | None, int]] = []
    for index, each in enumerate(body.flags or ()):
        key = key_of(each.flag)
        if key not in told.flags:
            message = "the resolve that gave the token did not have this flag"
            raise InvalidInput(message, f"$.flags[{index}].flag")
        ago = body.sendTime - each.applyTime
        given.append((told.flags[key], received - min(max(ago, 0), _AGO_MAX)))
    for one, at in given:
        if one is not None and _is_there(one, client.served):
            _expose(request, space, (one,), at)
    return respond(_shown(ConfidenceNothing()))


def _shown(answer: Model) -> Answer:
    return as_json(answer, headers=(("cache-control", "no-store"),))


def _expose(
    request: Request, space: str, given: Iterable[Given | None], at: int | None = None
) -> None:
    """Log what was given, each once; `at` says when, in milliseconds since 1970."""
    exposures: ExposureLog = request.app.state.exposures
    if exposures.on:
        for each in given:
            if each is not None:
                exposures.log(space, each.kind, each.unit, each.assignment, each.allocation, at)


def _is_there(given: Given, served: Served) -> bool:
    """Whether there is such a treatment: a client could sign anything with its own secret."""
    experiment = served.engine.catalog.experiments.get(given.experiment)
    return experiment is not None and any(
        given.treatment == treatment.key
        for iteration in experiment.iterations
        if iteration.number == given.iteration
        for treatment in iteration.treatments
    )


async def _resolve(
    request: Request, served: Served, flag: Flag, context: Mapping[str, Any], *, long: bool
) -> tuple[Resolution | None, Given | None]:
    """What a flag is, and what of it was given; nothing where no unit is named."""
    units = units_of(context, flag, served.engine.catalog)
    if units is None:
        return None, None
    keeping: StickyAssignments = request.app.state.keeping
    resolution, answer = await keeping.resolve(served, flag.key, units, context, long=long)
    given: Given | None = None
    if answer is not None:
        engine = served.engine
        kind = engine.catalog.experiments[answer.experiment].unit
        allocation = engine.allocation_of(answer, units, context) if answer.treatment else None
        given = given_of(kind, units[kind], answer, allocation)
    return resolution, given


def _show(flag: Flag, resolution: Resolution | None, given: Given | None) -> ConfidenceResolvedFlag:
    """The variant; none where a treatment, or the lack of one, leaves it to the client."""
    if resolution is None:
        return ConfidenceResolvedFlag(flag=flag_name(flag.key), reason=_NO_KEY)
    said: dict[str, Any] = {"flag": flag_name(flag.key)}
    if given is not None:
        said |= {"shouldApply": True, "assignmentOrigin": rule_name(flag.key, given.experiment)}
    if resolution.variation == CLIENT_DEFAULT == flag.default:
        return ConfidenceResolvedFlag(reason=_NO_MATCH if given is None else _MATCH, **said)
    assert resolution.variation is not None, "a flag that is there has a value"
    schema = schema_of(flag)
    return ConfidenceResolvedFlag(
        variant=variant_name(flag.key, resolution.variation),
        value=filled(as_object(resolution.value, is_lone(flag)), schema),
        flagSchema={"schema": schema},
        reason=_MATCH,
        **said,
    )


def _flags(names: Iterable[str], served: Served) -> list[Flag]:
    """The flags that are asked for, and are there: all of them where none is named."""
    flags = served.engine.catalog.flags
    keys = dict.fromkeys(map(key_of, names)) or flags
    found = [flags[key] for key in keys if key in flags]
    active = [flag for flag in found if flag.state is not FlagState.ARCHIVED]
    if len(active) > FLAGS_MAX:
        message = (
            f"max {FLAGS_MAX} flags allowed in a single resolve request, this request would "
            f"return {len(active)} flags."
        )
        raise InvalidInput(message, "$.flags")
    return active


def units_of(context: Mapping[str, Any], flag: Flag, catalog: Catalog) -> dict[str, str] | None:
    """By kind, the units before the flag's experiments; None where one is nothing to go by.

    What is missing is no fault: its experiments give nothing. A whole number counts as its digits,
    unless it may have lost some: a float above 2^53 - 1 stands for several whole numbers.
    """
    units: dict[str, str] = {}
    for place in flag.experiments:
        kind = catalog.experiments[place.experiment].unit
        value = lookup(context, tuple(selector_of(kind).split(".")))
        if value is None:
            continue
        if isinstance(value, float) and value.is_integer() and abs(value) <= _EXACT:
            value = int(value)
        key = unit_key(value, kind) if isinstance(value, str | int) else None
        if key is None and value != "":
            return None
        units[kind] = key or ""
    return units


router: Final = APIRouter(route_class=Route, tags=["confidence"])
for _path, _endpoint, _body, _answer in (
    (RESOLVE, resolve_flags, ConfidenceResolveRequest, ConfidenceResolveResponse),
    (APPLY, apply_flags, ConfidenceApplyRequest, ConfidenceNothing),
):
    router.add_api_route(
        _path,
        _endpoint,
        methods=["POST"],
        name=f"confidence_{_endpoint.__name__}",
        operation_id=f"confidence_{_endpoint.__name__}",
        summary=_endpoint.__name__.replace("_", " ").capitalize(),
        response_model=_answer,
        responses={
            200: {"headers": HEADERS},
            **{
                status: {"description": HTTPStatus(status).phrase, "model": ConfidenceError}
                for status in (*READING, 413, 415)
            },
        },
        openapi_extra={
            "content": Content({JSON: _body}),
            # The token stands in the body.
            "x-allotment-scope": str(Scope.ASSIGN),
            "x-allotment-secret": "clientSecret",
            "parameters": headers_taken(SPACE),
            "responses": {},
        },
    )
