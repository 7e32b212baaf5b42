"""Undoing a change: the nouns that it changed are made what they were before it, as a revision."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from allotment.change.commands import Command
from allotment.change.diff import diff
from allotment.change.part import only_nouns
from allotment.errors import AllotmentError, InvalidChange, PreconditionFailed
from allotment.model.catalog import EMPTY, Catalog
from allotment.server.console.changing import changes_since, preview_of, save
from allotment.server.console.forms import Fields
from allotment.server.console.preview_view import asked_units
from allotment.server.console.route import Changing, Form, PageRoute, moved, no_query, shown
from allotment.server.console.session import Visitor, at_of
from allotment.server.http.limits import REVISION_MAX
from allotment.server.http.requests import whole
from allotment.server.sync.spaces import Served
from allotment.server.writes.change import node_of, version_of
from allotment.store import Stored

router: Final = APIRouter(route_class=PageRoute)

_PATH: Final = "/{project}/{environment}/history/{revision}/undo"

# The nouns that a revision changed, and the catalog before it.
_Before = tuple[frozenset[tuple[str, str]], Catalog]


@router.get(_PATH, dependencies=[Depends(no_query)])
async def get_undoing(request: Request, visitor: Changing, revision: str) -> Response:
    """What undoing a change would do."""
    number = whole(revision, "path", 1, REVISION_MAX)
    return await _preview(request, visitor, number, {"comment": f"undo of revision {number}"})


@router.post(_PATH, dependencies=[Depends(no_query)])
async def post_undoing(request: Request, visitor: Changing, form: Form, revision: str) -> Response:
    """What it would do to units; and with the step `save`, the save."""
    number = whole(revision, "path", 1, REVISION_MAX)
    if form.get("step") != "save":
        return await _preview(request, visitor, number, form)
    before = await _before(request, visitor, number)

    def read(stored: Stored) -> Sequence[Command]:
        if version_of(stored, None) != form.get("version", ""):
            raise PreconditionFailed("the catalog has changed since this page was shown")
        return undo(stored.catalog, before)

    fault = await save(request, visitor, read, form.get("comment", ""))
    if fault is None:
        return moved(f"{at_of(request)}/{visitor.caller.space}/history")
    return await _preview(request, visitor, number, form, fault)


def undo(catalog: Catalog, before: _Before) -> tuple[Command, ...]:
    """The commands that make the nouns what they were."""
    nouns, then = before
    return tuple(diff(catalog, only_nouns(catalog, then, nouns)))


async def _before(request: Request, visitor: Visitor, revision: int) -> _Before:
    node = node_of(request)
    served = node.served(visitor.caller.space)
    store = node.store_at(served.space)
    then = EMPTY
    if revision > 1:
        then = await request.app.state.explained.catalog(served, revision - 1)

    def nouns() -> frozenset[tuple[str, str]]:
        written = store.written(store.head(revision - 1), store.head(revision))
        if written is None:
            raise InvalidChange(f"revision {revision:,} is of another history than this one")
        return frozenset(written)

    return await node.run(nouns), then


async def _preview(
    request: Request,
    visitor: Visitor,
    revision: int,
    form: Fields,
    fault: AllotmentError | None = None,
) -> Response:
    node = node_of(request)
    served: Served = node.served(visitor.caller.space)
    before = await _before(request, visitor, revision)

    def told() -> dict[str, Any]:
        raced = isinstance(fault, PreconditionFailed)
        commands = undo(served.stored.catalog, before)
        return {
            "key": "",
            "title": f"Undo of revision {revision:,}",
            "back": f"history/{revision}",
            "fields": {name: form[name] for name in ("units", "attributes") if form.get(name)},
            "version": version_of(served.stored, None),
            "comment": form.get("comment", ""),
            "view": preview_of(node, served, commands, asked_units(form)),
            "fault": None if raced else fault,
            "raced": changes_since(node, served, form.get("version", "")) if raced else None,
            "units_asked": form.get("units", ""),
        }

    page = await node.rebuild(told)
    status = 200 if fault is None else fault.status_hint
    return await shown(request, visitor, "preview.html", lambda _: page, status)
