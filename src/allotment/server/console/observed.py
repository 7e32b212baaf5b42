"""Observed units beside the target shares, with the sample-ratio check, where exposures are logged.

Only what this server has is counted: the finished files in its own folder of exposures.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import APIRouter
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from allotment.compile.experiment import Source
from allotment.dialects.wire.model import Body
from allotment.errors import InvalidInput
from allotment.frames.form import open_source, tells_form
from allotment.frames.observed import COLUMNS, Observed, Observing
from allotment.frames.observed_ratio import ObservedRatio, Unchecked, checks_of
from allotment.server.api.route import Query
from allotment.server.console.experiment import NOWHERE, found
from allotment.server.console.ratio import RatioView, ratio_view
from allotment.server.console.route import Looking, PageRoute, shown
from allotment.server.http.limits import REVISION_MAX
from allotment.server.http.requests import whole
from allotment.server.settings import Settings
from allotment.server.sync.node import Node
from allotment.server.sync.spaces import Served
from allotment.server.writes.change import node_of
from allotment.words.counts import counted

router: Final = APIRouter(route_class=PageRoute)

# So much is read at the most, from the newest file on: some seconds.
BYTES_MAX: Final = 256 << 20
_KNOWN_MAX: Final = 64

log: Final = logging.getLogger("allotment.server")


class ObservedQuery(Body):
    """The first revision whose exposures count; empty: since the experiment answers as it does."""

    since: Annotated[str, Field(max_length=20)] = ""


@dataclass(frozen=True, slots=True)
class SeenFiles:
    """What was read: how many files, how many older ones were not, how many cannot be, and what
    was in them."""

    files: int
    passed_over: int
    unreadable: int
    observed: Observed


@dataclass(frozen=True, slots=True)
class ObservedView:
    """What is shown: the checks of the current iteration, and what was not checked, in words."""

    seen: SeenFiles
    since: int
    ratios: tuple[RatioView, ...]
    notes: tuple[str, ...]


@dataclass(slots=True)
class Reading:
    """The files of one process, read one after the other; what was read last is remembered."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    known: dict[tuple[Any, ...], SeenFiles] = field(default_factory=dict)

    async def seen(self, node: Node, folder: Path, space: str, since: int) -> SeenFiles:
        """What was seen of a space since a revision."""
        async with self.lock:
            files = await node.outside(finished, folder)
            key = (space, since, tuple(files))
            if key not in self.known:
                if len(self.known) >= _KNOWN_MAX:
                    self.known.clear()
                self.known[key] = await node.outside(read_files, files, space, since)
            return self.known[key]


@router.get("/{project}/{environment}/experiments/{key}/observed")
async def get_observed(
    request: Request,
    visitor: Looking,
    key: str,
    query: Annotated[ObservedQuery, Query(ObservedQuery)],
) -> Response:
    """The page; or that there is nothing to count, and why."""
    settings: Settings = request.app.state.settings
    served = node_of(request).served(visitor.caller.space)
    experiment = found(served.stored.catalog, key)
    page: dict[str, Any] = {"experiment": experiment, "query": query, "view": None, "nowhere": ""}
    if settings.exposures in NOWHERE:
        page["nowhere"] = NOWHERE[settings.exposures]
    else:
        since = whole(query.since, "query.since", 0, REVISION_MAX) if query.since else None
        since = answers_since(served, key) if since is None else since
        reading: Reading = request.app.state.observing
        seen = await reading.seen(node_of(request), settings.exposures_dir, served.space, since)
        page["view"] = observed_view(served, key, seen, since)
    return await shown(request, visitor, "observed.html", lambda _: page)


def answers_since(served: Served, experiment: str) -> int:
    """The revision since which an experiment answers as it does."""
    source = served.engine.snapshot.plans[experiment].source
    assert isinstance(source, Source)
    return source.revision


def finished(folder: Path) -> list[tuple[Path, int, int]]:
    """The files of a folder that are whole, the newest first, each with its size and its time."""
    if not folder.is_dir():
        return []
    found: list[tuple[Path, int, int]] = []
    for path in folder.glob("exposures-*"):
        if tells_form(path):
            about = path.stat()
            found.append((path, about.st_size, about.st_mtime_ns))
    return sorted(found, key=lambda each: (-each[2], each[0].name))


def read_files(
    files: Sequence[tuple[Path, int, int]], space: str, since: int, most: int = BYTES_MAX
) -> SeenFiles:
    """What was seen in the newest files, of `most` bytes together."""
    observing = Observing(space, since)
    size = count = unreadable = 0
    for path, bytes_, _ in files:
        if count and size + bytes_ > most:
            break
        size, count = size + bytes_, count + 1
        try:
            with open_source(path, COLUMNS) as source:
                for rows in source.batches():
                    observing.add(rows)
        except (InvalidInput, OSError) as error:  # or it was taken away meanwhile
            unreadable += 1
            log.warning("exposures cannot be read: %s: %s", path, error)
    return SeenFiles(count - unreadable, len(files) - count, unreadable, observing.result())


def observed_view(served: Served, experiment: str, seen: SeenFiles, since: int) -> ObservedView:
    """What is shown of what was seen of an experiment in its current iteration."""
    catalog = served.stored.catalog
    current = catalog.experiments[experiment].current
    checks = checks_of(catalog, seen.observed, [experiment])
    ratios, notes = _sorted_out(checks, current.number)
    if seen.unreadable:
        files = counted(seen.unreadable, "file")
        notes.append(f"{files} cannot be read: the server's log says which")
    notes += [
        f"left out: {count:,} exposures ({why})"
        for why, count in sorted(seen.observed.left_out.items())
    ]
    return ObservedView(seen, since, tuple(ratios), tuple(notes))


def _sorted_out(
    checks: Iterable[ObservedRatio | Unchecked], number: int
) -> tuple[list[RatioView], list[str]]:
    ratios: list[RatioView] = []
    notes: list[str] = []
    for each in checks:
        if isinstance(each, Unchecked):
            notes.append(f"not checked: {each.group}, {each.units:,} units: {each.why}")
        elif each.iteration == number:
            ratios.append(ratio_view(each))
        else:
            units = sum(each.ratio.counts)
            notes.append(f"of iteration {each.iteration}, which is over: {units:,} units")
    return ratios, notes
