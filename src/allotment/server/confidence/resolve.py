"""`POST /v1/flags:resolve`: what a client's flags are, for whoever its context names."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterable, Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from allotment.dialects.confidence.names import flag_name, rule_name, variant_name
from allotment.dialects.confidence.schema import (
    CLIENT_DEFAULT,
    as_object,
    filled,
    is_lone,
    schema_of,
)
from allotment.dialects.wire.notes import json_text
from allotment.dialects.wire.place import Place
from allotment.dialects.wire.source import Tree
from allotment.errors import InvalidInput
from allotment.model.assignment import Resolution
from allotment.model.flag import Flag, FlagState
from allotment.server.assign.reading import ATTRIBUTES_BYTES_MAX, check_size
from allotment.server.assign.shown import Shown
from allotment.server.assign.unit import is_long
from allotment.server.confidence.api import add
from allotment.server.confidence.resolve_context import units_of
from allotment.server.confidence.resolve_schemas import RESOLVE
from allotment.server.confidence.token import Given, given_of, sign
from allotment.server.confidence.token_client import client_and_body
from allotment.server.exposures import Exposures
from allotment.server.http.answer import as_json, respond
from allotment.server.http.limits import BODY_BYTES_MAX
from allotment.server.http.requests import body_read
from allotment.server.sticky.keeping import Keeping
from allotment.server.sync.spaces import Served
from allotment.server.writes.change import node_of

PATH: Final = "/v1/flags:resolve"

FLAGS_MAX: Final = 1_000

_FIELDS: Final = ("clientSecret", "evaluationContext", "apply", "flags", "sdk")
_FLAG: Final = "flags/"
_NAME_MAX: Final = 1_024

_Found = tuple[dict[str, Tree], Given | None]


async def resolve(request: Request) -> Response:
    """Answers with the flags that were asked for, or all; what is not there is left out."""
    client, body = await client_and_body(request)
    body.fields(_FIELDS)
    context = _read_context(body.at("evaluationContext"), request)
    apply = body.at("apply").given and body.at("apply").truth()
    node_of(request).counters.assigned[PATH] += 1
    flags = _read_flags(body.at("flags"), client.served)
    long = is_long(Shown(client.served), [flag.key for flag in flags], body_read(request))
    asks = (_resolve(request, client.served, flag, context, long=long) for flag in flags)
    found = await asyncio.gather(*asks)
    told = {flag.key: given for flag, (_, given) in zip(flags, found, strict=True)}
    space = client.served.space
    if apply:
        expose(request, space, told.values())
    answer: dict[str, Tree] = {
        "resolvedFlags": [shown for shown, _ in found],
        # What is applied already needs no token; that there is none must be said all the same.
        "resolveToken": "" if apply else sign(client.secret, space, told),
        "resolveId": secrets.token_hex(16),
    }
    return respond(as_json(answer, headers=(("cache-control", "no-store"),)))


def expose(
    request: Request, space: str, given: Iterable[Given | None], at: int | None = None
) -> None:
    """Log what was given, each once; `at` says when, in milliseconds since 1970."""
    exposures: Exposures = request.app.state.exposures
    if exposures.on:
        for each in given:
            if each is not None:
                exposures.log(space, each.kind, each.unit, each.assignment, at)


async def _resolve(
    request: Request, served: Served, flag: Flag, context: Mapping[str, Any], *, long: bool
) -> _Found:
    units = units_of(context, flag, served.engine.catalog)
    if units is None:
        return _nothing(flag, "TARGETING_KEY_ERROR"), None
    keeping: Keeping = request.app.state.keeping
    resolution, answer = await keeping.resolve(served, flag.key, units, context, long=long)
    given: Given | None = None
    if answer is not None:
        kind = served.engine.catalog.experiments[answer.experiment].unit
        given = given_of(kind, units[kind], answer)
    return _show(flag, resolution, given), given


def _show(flag: Flag, resolution: Resolution, given: Given | None) -> dict[str, Tree]:
    """The variant; none where a treatment, or the lack of one, leaves it to the client."""
    if resolution.variation == CLIENT_DEFAULT == flag.default:
        shown = _nothing(flag, "NO_SEGMENT_MATCH" if given is None else "MATCH")
    else:
        assert resolution.variation is not None, "a flag that is there has a value"
        schema = schema_of(flag)
        shown = {
            **_nothing(flag, "MATCH"),
            "variant": variant_name(flag.key, resolution.variation),
            "value": filled(as_object(resolution.value, is_lone(flag)), schema),
            "flagSchema": {"schema": schema},
        }
    if given is not None:
        origin = rule_name(flag.key, given.experiment)
        shown.update({"shouldApply": True, "assignmentOrigin": origin})
    return shown


def _nothing(flag: Flag, reason: str) -> dict[str, Tree]:
    """No variant: the client has a value of its own for that."""
    return {
        "flag": flag_name(flag.key),
        "variant": "",
        "value": None,
        "flagSchema": None,
        "reason": f"RESOLVE_REASON_{reason}",
        "shouldApply": False,
        "assignmentOrigin": "",
    }


def _read_context(place: Place, request: Request) -> Mapping[str, Any]:
    if not place.given or place.null:
        return {}
    if not isinstance(place.value, dict):
        raise place.refusal("an object belongs here")
    if len(body_read(request)) > ATTRIBUTES_BYTES_MAX:
        check_size(len(json_text(place.value).encode()), place.path)
    return place.value


def _read_flags(place: Place, served: Served) -> list[Flag]:
    """The flags that are asked for, and are there: all of them where none is named."""
    flags = served.engine.catalog.flags
    items = place.items(0, BODY_BYTES_MAX) if place.given and not place.null else []
    keys = dict.fromkeys(read_flag_key(item) for item in items) if items else flags
    found = [flags[key] for key in keys if key in flags]
    active = [flag for flag in found if flag.state is not FlagState.ARCHIVED]
    if len(active) > FLAGS_MAX:
        raise InvalidInput(
            f"max {FLAGS_MAX} flags allowed in a single resolve request, this request would "
            f"return {len(active)} flags.",
            place.path,
        )
    return active


def read_flag_key(place: Place) -> str:
    """The key of the flag that a name like `flags/my-flag` names, be it there or not."""
    name = place.text(1, _NAME_MAX)
    key = name.removeprefix(_FLAG)
    if key == name or not key:
        raise place.refusal("a name like flags/FLAG belongs here")
    return key


add("POST", PATH, "resolve_flags", resolve, RESOLVE)
