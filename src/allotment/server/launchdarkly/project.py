"""What is a whole project's: found in any of its spaces, and shown with what each of them has."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from starlette.requests import Request

from allotment.change.commands import Command, Create
from allotment.change.kinds import kind_of, nouns_of
from allotment.dialects.launchdarkly.environments import Environment, Project
from allotment.dialects.launchdarkly.labels import read_key
from allotment.dialects.wire.place import Place
from allotment.dialects.wire.source import Tree
from allotment.server.conditional import admit, authenticated, node_of
from allotment.server.launchdarkly.api import PATCHED, space_of, spaces_of
from allotment.server.vendor import Noun, Vendor
from allotment.store import Scope, Stored


def project_of(request: Request, stored: Stored | None = None) -> Project:
    """The environments of the path's project that the caller reaches, as they are served.

    `stored` stands for the one that has just been changed.
    """
    caller = authenticated(request, Scope.READ, space_of(request))
    return environments_of(request, caller.reach, stored)


def environments_of(request: Request, reach: str, stored: Stored | None) -> Project:
    """The same for a caller that reaches so far."""
    project = request.path_params["projectKey"]
    found = {}
    for name in spaces_of(request, project, reach):
        each = node_of(request).served(name).stored
        if stored is not None and stored.space == name:
            each = stored
        found[name.partition("/")[2]] = Environment(each.catalog, each.versions)
    return found


def space_having(request: Request, kind: str, key: str) -> str:
    """The space in which a noun of the project is found: the usual one, unless only another has it.

    A vendor's calls make such a noun in all spaces of a project; ours and imports in one.
    """
    usual = space_of(request)
    project = request.path_params["projectKey"]
    having = [
        f"{project}/{name}"
        for name, each in project_of(request).items()
        if key in nouns_of(each.catalog, kind)
    ]
    return having[0] if having and usual not in having else usual


async def patching(
    request: Request, kind: str, key: str, tree: Callable[[Request], Awaitable[Tree]]
) -> Vendor:
    """The vendor for a patch of a noun of the project, about the environment that its body names.

    Who calls may do so before what they send is looked at.
    """
    await admit(request, Scope.WRITE, space_of(request))
    body = await tree(request)
    named = Place(body).at("environmentKey") if isinstance(body, dict) else None
    if named is not None and named.said:
        space = f"{request.path_params['projectKey']}/{read_key(named)}"
    else:
        space = space_having(request, kind, key)

    async def read_already(_request: Request) -> Tree:
        return body

    return replace(PATCHED, space=lambda _request: space, tree=read_already)


def created(commands: Sequence[Command]) -> Noun:
    """The noun that the commands create."""
    (noun,) = (command.noun for command in commands if isinstance(command, Create))
    return (kind_of(noun), noun.key)
