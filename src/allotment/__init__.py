"""Allotment: which treatment of which experiment a unit gets, the same answer everywhere."""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from allotment.engine import Engine, NeverMatches
from allotment.errors import (
    AllotmentError,
    Conflict,
    InvalidChange,
    InvalidInput,
    MissingExtra,
    NotFound,
    StoreError,
)
from allotment.load import load
from allotment.model.assignment import REASONS, Assignment, Reason, Resolution
from allotment.model.catalog import Catalog

if TYPE_CHECKING:
    from allotment.client import ConnectedEngine, EngineStatus, connect
    from allotment.engine.column import Column, Table
    from allotment.engine.explanation import Check, Explanation
    from allotment.engine.profiles import HashProfile, profile, profiles

__version__ = "0.1.0"

__all__ = [
    "REASONS",
    "AllotmentError",
    "Assignment",
    "Catalog",
    "Check",
    "Column",
    "Conflict",
    "ConnectedEngine",
    "Engine",
    "EngineStatus",
    "Explanation",
    "HashProfile",
    "InvalidChange",
    "InvalidInput",
    "MissingExtra",
    "NeverMatches",
    "NotFound",
    "Reason",
    "Resolution",
    "StoreError",
    "Table",
    "__version__",
    "connect",
    "load",
    "profile",
    "profiles",
]

# What few programs use is imported where it is first asked for, so that all others start sooner.
_LATER: Final = {
    **dict.fromkeys(("ConnectedEngine", "EngineStatus", "connect"), "allotment.client"),
    **dict.fromkeys(("Column", "Table"), "allotment.engine.column"),
    **dict.fromkeys(("Check", "Explanation"), "allotment.engine.explanation"),
    **dict.fromkeys(("HashProfile", "profile", "profiles"), "allotment.engine.profiles"),
}


def __getattr__(name: str) -> Any:
    """A name of `_LATER`, from its module; it then stands here as any other."""
    if name not in _LATER:
        raise AttributeError(f"module 'allotment' has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(_LATER[name]), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
