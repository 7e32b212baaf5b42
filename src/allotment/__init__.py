"""Allotment: which treatment of which experiment a unit gets, the same answer everywhere."""

from allotment.client import ConnectedEngine, EngineStatus, connect
from allotment.engine import Check, Column, Engine, Explanation, NeverMatches, Table
from allotment.engine.profiles import HashProfile, profile, profiles
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
