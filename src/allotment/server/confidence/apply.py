"""`POST /v1/flags:apply`: a client says when it showed what a resolve had told it."""

from __future__ import annotations

import re
import time
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from allotment.dialects.wire.place import Place
from allotment.model.instant import read_instant
from allotment.server.confidence.api import add
from allotment.server.confidence.resolve import FLAGS_MAX, expose, read_flag_key
from allotment.server.confidence.resolve_schemas import APPLY
from allotment.server.confidence.token import Given, read_token
from allotment.server.confidence.token_client import client_and_body
from allotment.server.http.answer import as_json, respond
from allotment.server.sync.spaces import Served

PATH: Final = "/v1/flags:apply"

_FIELDS: Final = ("clientSecret", "resolveToken", "sendTime", "flags", "sdk")
_FLAG_FIELDS: Final = ("flag", "applyTime")
_TIME_MAX: Final = 64

# A client that was offline applies late; what is older is a clock that was set meanwhile.
_AGO_MAX: Final = 7 * 24 * 60 * 60 * 1000

# A time may have nine digits after its point; three of them are kept.
_FINER: Final = re.compile(r"(?<=\.\d{3})\d{1,6}(?=Z|[+-])")


async def apply(request: Request) -> Response:
    """Logs what the token says was given in the flags that are named, at the times that are said.

    The clock of a client may be wrong: its times count by how long before the sending they were,
    which is at most a week.
    """
    client, body = await client_and_body(request)
    body.fields(_FIELDS, ("resolveToken", "sendTime"))
    space = client.served.space
    told = read_token(client.secret, space, body.at("resolveToken"))
    sent = _read_time(body.at("sendTime"))
    received = int(time.time() * 1000)
    given: list[tuple[Given | None, int]] = []
    items = body.at("flags")
    for item in items.items(0, FLAGS_MAX) if items.given and not items.null else []:
        item.fields(_FLAG_FIELDS, _FLAG_FIELDS)
        key = read_flag_key(item.at("flag"))
        if key not in told.flags:
            raise item.at("flag").refusal("the resolve that gave the token did not have this flag")
        ago = sent - _read_time(item.at("applyTime"))
        given.append((told.flags[key], received - min(max(ago, 0), _AGO_MAX)))
    for each, at in given:
        if each is not None and _is_there(each, client.served):
            expose(request, space, (each,), at)
    return respond(as_json({}, headers=(("cache-control", "no-store"),)))


def _is_there(given: Given, served: Served) -> bool:
    """Whether there is such a treatment: a client could sign anything with its own secret."""
    experiment = served.engine.catalog.experiments.get(given.experiment)
    return experiment is not None and any(
        given.treatment == treatment.key
        for iteration in experiment.iterations
        if iteration.number == given.iteration
        for treatment in iteration.treatments
    )


def _read_time(place: Place) -> int:
    return read_instant(_FINER.sub("", place.text(1, _TIME_MAX)), place.path)


add("POST", PATH, "apply_flags", apply, APPLY)
