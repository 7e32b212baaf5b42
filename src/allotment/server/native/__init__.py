"""The native API: the catalog as Allotment itself spells it, under `/v1`."""

from typing import Final

from fastapi import APIRouter

from allotment.server.native import (
    changes,
    commands,
    journal,
    nouns,
    preview,
    snapshot,
    spaces,
    status,
    stream,
    tokens,
)

_MODULES: Final = (
    *(status, snapshot, changes, stream, commands, preview),
    *(nouns, journal, spaces, tokens),
)
ROUTERS: Final[tuple[APIRouter, ...]] = tuple(each.router for each in _MODULES)
