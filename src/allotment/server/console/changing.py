"""Changing an experiment: a form, then what would happen, then the save under the version shown."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from allotment.change.commands import Command
from allotment.errors import AllotmentError, InvalidInput, PreconditionFailed, StoreError
from allotment.model.limits import TEXT_CHARACTERS_MAX
from allotment.model.number import read_whole
from allotment.server.console.experiment import allocations_of, found
from allotment.server.console.experiments import state_of
from allotment.server.console.forms import ChangeForm, Fields, form_named
from allotment.server.console.history import ChangeLine, HistoryQuery, change_line, is_wanted
from allotment.server.console.preview_view import PreviewView, asked_units, preview_view
from allotment.server.console.route import Changing, Form, PageRoute, moved, no_query, shown
from allotment.server.console.session import Visitor, at_of
from allotment.server.http.limits import PAGE_BYTES_MAX
from allotment.server.sync.node import Node
from allotment.server.sync.spaces import Served
from allotment.server.writes.change import node_of, version_of
from allotment.server.writes.preview import AskedUnits, preview
from allotment.store import Stored

router: Final = APIRouter(route_class=PageRoute)

DIALECT: Final = "console"
_PATH: Final = "/{project}/{environment}/experiments/{key}/change/{what}"

# What a form has beside the change itself.
_OURS: Final = frozenset({"form", "step", "version", "comment"})
_SEGMENTS_MAX: Final = 500
_LOOKED_AT: Final = 200
_RACED_MAX: Final = 5


@router.get(_PATH, dependencies=[Depends(no_query)])
async def get_changing(request: Request, visitor: Changing, key: str, what: str) -> Response:
    """The form."""
    form = form_named(what)
    return await shown(
        request, visitor, "changing.html", lambda served: _form(served, key, what, form, {})
    )


@router.post(_PATH, dependencies=[Depends(no_query)])
async def post_changing(
    request: Request, visitor: Changing, form: Form, key: str, what: str
) -> Response:
    """What would happen; and with the step `save`, the save."""
    asked = form_named(what)
    if form.get("step") != "save":
        return await _preview(request, visitor, key, what, form)
    now = _now()

    def read(stored: Stored) -> Sequence[Command]:
        if version_of(stored, ("experiment", key)) != form.get("version", ""):
            raise PreconditionFailed("the experiment has changed since this page was shown")
        return asked.read(form, found(stored.catalog, key), now)

    fault = await save(request, visitor, read, form.get("comment", ""))
    if fault is None:
        return moved(f"{at_of(request)}/{visitor.caller.space}/experiments/{key}")
    return await _preview(request, visitor, key, what, form, fault)


async def save(
    request: Request,
    visitor: Visitor,
    read: Callable[[Stored], Sequence[Command]],
    comment: str,
) -> AllotmentError | None:
    """Commit what `read` makes of the space as it is; what refused it, if something did."""
    try:
        if len(comment) > TEXT_CHARACTERS_MAX:
            raise InvalidInput(f"at most {TEXT_CHARACTERS_MAX:,} characters belong here", "comment")
        await node_of(request).write(
            visitor.caller.space,
            read,
            dialect=DIALECT,
            who=visitor.caller.who,
            comment=comment,
            reach=visitor.caller.reach,
        )
    except StoreError:
        raise
    except AllotmentError as error:
        if error.status_hint >= 500:
            raise
        return error
    return None


async def _preview(  # noqa: PLR0913, PLR0917  # what was asked, and what came of it
    request: Request,
    visitor: Visitor,
    key: str,
    what: str,
    form: Fields,
    fault: AllotmentError | None = None,
) -> Response:
    node, change = node_of(request), form_named(what)
    served = node.served(visitor.caller.space)
    catalog = served.stored.catalog
    status = 200 if fault is None else fault.status_hint

    def told() -> tuple[str, Mapping[str, Any], int]:
        experiment = found(catalog, key)
        try:
            commands = change.read(form, experiment, _now())
            seen = preview_of(node, served, commands, asked_units(form))
        except InvalidInput as error:
            return "changing.html", _form(served, key, what, change, form, error), 400
        if seen.refusal is not None:
            again = _form(served, key, what, change, form, seen.refusal)
            return "changing.html", {**again, "refused": True}, status
        raced = isinstance(fault, PreconditionFailed)
        page = {
            "key": key,
            "title": f"{change.title}: {key}",
            "back": f"experiments/{key}/change/{what}",
            "fields": {name: text for name, text in form.items() if name not in _OURS},
            "version": version_of(served.stored, ("experiment", key)),
            "comment": form.get("comment", ""),
            "view": seen,
            "fault": None if raced else fault,
            "raced": changes_since(node, served, form.get("version", ""), key) if raced else None,
            "units_asked": form.get("units", ""),
        }
        return "preview.html", page, status

    # One after the other: what is made of a large change takes the memory of one.
    template, page, answered = await node.rebuild(told)
    return await shown(request, visitor, template, lambda _: page, answered)


def preview_of(
    node: Node, served: Served, commands: Sequence[Command], asked: AskedUnits | None
) -> PreviewView:
    """What the commands would do to what is served."""

    def kept(experiment: str, iteration: int, units: Sequence[str]) -> dict[str, Sequence[str]]:
        return node.store_at(served.space).kept_of(experiment, iteration, units)

    return preview_view(preview(served, commands, asked, kept), served.stored.catalog)


def changes_since(
    node: Node, served: Served, version: str, about: str = ""
) -> tuple[ChangeLine, ...]:
    """The last changes after the one of a version, of a noun where one is named."""
    since = read_whole(version.partition("-")[0]) or 0
    entries, _ = node.store_at(served.space).journal_page(_LOOKED_AT, None, PAGE_BYTES_MAX)
    query = HistoryQuery(about=about)
    wanted = [each for each in entries if each.revision > since and is_wanted(each, query)]
    return tuple(change_line(each) for each in wanted[:_RACED_MAX])


def _form(  # noqa: PLR0913, PLR0917  # what it is a form of, and how it was filled in
    served: Served,
    key: str,
    what: str,
    form: ChangeForm,
    fields: Fields,
    fault: AllotmentError | None = None,
) -> dict[str, Any]:
    catalog = served.stored.catalog
    experiment = found(catalog, key)
    return {
        "experiment": experiment,
        "iteration": experiment.current,
        "allocations": allocations_of(experiment.current),
        "state": state_of(experiment),
        "what": what,
        "title": f"{form.title}: {key}",
        "segments": sorted(catalog.segments)[:_SEGMENTS_MAX],
        "fields": fields,
        "fault": fault,
        "refused": False,
    }


def _now() -> int:
    return round(time.time() * 1000)
