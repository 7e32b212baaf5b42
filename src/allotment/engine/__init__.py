"""The current snapshot, and the answers it gives: assign, assign many, resolve, explain."""

from allotment.engine.column import Column, Table
from allotment.engine.engine import Engine
from allotment.engine.explanation import Check, Explanation
from allotment.engine.notes import NeverMatches

__all__ = ["Check", "Column", "Engine", "Explanation", "NeverMatches", "Table"]
