"""An engine of one experiment, compiled alone: all of a catalog would take seconds."""

from __future__ import annotations

from typing import Final

from allotment.compile import Snapshot, recompile
from allotment.engine import Engine
from allotment.model.catalog import EMPTY, Catalog
from allotment.model.keyed import Keyed

_NOTHING: Final = Snapshot(EMPTY, Keyed(), Keyed(), 0)


def engine_of(catalog: Catalog, experiment: str) -> Engine:
    """The engine of one experiment of a catalog; of none where it is not there."""
    return Engine(recompile(_NOTHING, catalog, [experiment]), note=None)
