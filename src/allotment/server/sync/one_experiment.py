"""An engine of one experiment, compiled alone: all of a catalog would take seconds."""

from __future__ import annotations

from allotment.compile import compile_experiments
from allotment.engine import Engine
from allotment.model.catalog import Catalog


def engine_of(catalog: Catalog, experiment: str) -> Engine:
    """The engine of one experiment of a catalog; of none where it is not there."""
    return Engine(compile_experiments(catalog, [experiment]), note=None)
