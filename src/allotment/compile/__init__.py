"""Catalog to snapshot: everything that can be decided without a unit is decided here. Pure."""

from allotment.compile.snapshot import (
    Snapshot,
    compile_catalog,
    compile_experiments,
    recompile,
)

__all__ = ["Snapshot", "compile_catalog", "compile_experiments", "recompile"]
