"""`/v1/spaces`: the environments of projects, each with a catalog of its own."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Final

from fastapi import APIRouter
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from allotment.dialects.wire.model import LEFT_OUT, Body, Maybe, Model
from allotment.server.api.fields import Revision, SpaceName
from allotment.server.api.route import Admin, Json, Route
from allotment.server.auth.access import check_reach, reaches
from allotment.server.http.answer import as_json, respond
from allotment.server.writes.change import node_of

router: Final = APIRouter(route_class=Route, tags=["native"])


class Space(Model):
    """A space and the revision that its catalog has reached."""

    name: SpaceName
    revision: Revision


class SpaceList(Model):
    """The spaces, by name."""

    spaces: list[Space]


class SpaceBody(Body):
    """A space to make."""

    name: SpaceName
    copy_from: Annotated[
        Maybe[SpaceName],
        Field(
            description="The space that flags and layers come from; else the project's first."
            " The token must reach it."
        ),
    ] = LEFT_OUT


@router.get("/v1/spaces", summary="List the spaces", response_model=SpaceList)
async def list_spaces(request: Request, caller: Admin) -> Response:
    """Those that the token reaches."""
    served = node_of(request).spaces
    shown = [
        Space(name=name, revision=served[name].revision)
        for name in sorted(served)
        if reaches(caller.reach, name)
    ]
    return respond(as_json(SpaceList(spaces=shown)))


@router.post("/v1/spaces", status_code=201, summary="Make a space", response_model=Space)
async def create_space(
    request: Request, caller: Admin, body: Annotated[SpaceBody, Json(SpaceBody)]
) -> Response:
    """It begins with the flags and layers of another space of its project."""
    check_reach(caller.reach, (body.name,), "$.name")

    def copying(origin: str) -> None:
        check_reach(caller.reach, (origin,), "$.copy_from")

    if body.copy_from is not None:
        copying(body.copy_from)
    node = node_of(request)
    store = node.store
    when = datetime.now(UTC)
    await node.in_turn(
        lambda: store.create_space(
            body.name, who=caller.who, when=when, copy_from=body.copy_from, copying=copying
        )
    )
    await node.catch_up()
    revision = node.served(body.name).revision
    return respond(as_json(Space(name=body.name, revision=revision), 201))
