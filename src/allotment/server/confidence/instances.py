"""The operations on `/v1/workflows/abtest/instances`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from allotment.change.commands import Command, Create
from allotment.change.kinds import kind_of
from allotment.dialects.confidence import instances, lists
from allotment.dialects.confidence.names import INSTANCES, get_instance
from allotment.dialects.confidence.shown import show_instance
from allotment.dialects.confidence.transitions import read_transition
from allotment.dialects.wire.asked import Asked
from allotment.dialects.wire.source import Tree
from allotment.model.catalog import Catalog
from allotment.server.api.vendor import Ids, Noun
from allotment.server.confidence.api import METHOD, VENDOR, add
from allotment.server.confidence.operation import described
from allotment.server.confidence.schemas import Schema, ref
from allotment.store import Scope, Stored

MANY: Final = f"/v1/{INSTANCES}"
ONE: Final = f"{MANY}/{{instance}}"

_ID: Final = {"instance": ref("InstanceId")}
_MASK: Final[dict[str, Schema]] = {instances.MASK: {"type": "string", "maxLength": 16_384}}


def _find(ids: Ids, catalog: Catalog) -> Noun:
    return ("experiment", get_instance(catalog, ids["instance"]).key)


def _made(commands: Sequence[Command]) -> Noun:
    (noun,) = (command.noun for command in commands if isinstance(command, Create))
    return (kind_of(noun), noun.key)


def _show(_asked: Asked, noun: Noun, stored: Stored, _done: Sequence[Command]) -> Tree:
    experiment = stored.catalog.experiments[noun[1]]
    return show_instance(experiment, stored.catalog, stored.versions[":".join(noun)])


add(
    "GET",
    MANY,
    "list_instances",
    VENDOR.listing(lists.list_instances, lists.PAGED),
    described(
        "List instances",
        Scope.READ,
        {200: ref("Instances")},
        query={
            "pageSize": {"type": "integer", "minimum": 0, "maximum": lists.SIZE_MAX},
            "pageToken": {"type": "string", "maxLength": 1024},
            "filter": {"type": "string", "examples": ['state:live AND owner:"users/ada"']},
        },
    ),
)
# The vendor's pages name both paths.
for _path, _name in ((MANY, "create_instance"), ("/v1/workflows/abtest", "create_abtest")):
    add(
        "POST",
        _path,
        _name,
        VENDOR.changing(instances.read_create, None, _show, made=_made),
        described(
            "Create an instance",
            Scope.WRITE,
            {200: ref("Instance")},
            body=ref("InstanceCreate"),
            changes=True,
        ),
    )
add(
    "GET",
    ONE,
    "get_instance",
    VENDOR.getting(_find, _show),
    described("Get an instance", Scope.READ, {200: ref("Instance"), 304: None}, path=_ID),
)
add(
    "PATCH",
    ONE,
    "update_instance",
    VENDOR.changing(instances.read_update, _find, _show, known=(instances.MASK,)),
    described(
        "Change what the mask names of an instance; without one, what the body gives",
        Scope.WRITE,
        {200: ref("Instance")},
        path=_ID,
        query=_MASK,
        body=ref("InstanceUpdate"),
        changes=True,
    ),
)
add(
    "DELETE",
    ONE,
    "delete_instance",
    VENDOR.changing(instances.read_delete, _find, None, status=204),
    described("Delete an instance", Scope.WRITE, {204: None}, path=_ID, changes=True),
)
add(
    "POST",
    f"{ONE}:clone",
    "clone_instance",
    METHOD.changing(instances.read_clone, None, _show, made=_made),
    described(
        "Create a draft like an instance",
        Scope.WRITE,
        {200: ref("Instance")},
        path=_ID,
        body=ref("Clone"),
        changes=True,
    ),
)
add(
    "POST",
    f"{ONE}:transition",
    "transition_instance",
    VENDOR.changing(read_transition, _find, _show),
    described(
        "Move an instance to another state, one of its possibleTransitions",
        Scope.WRITE,
        {200: ref("Instance")},
        path=_ID,
        body=ref("Transition"),
        changes=True,
    ),
)
