"""The current snapshot, and the answers it gives: assign, assign many, resolve, explain."""

from allotment.engine.column import Column, Table
from allotment.engine.engine import Engine
from allotment.engine.explanation import Check, Explanation

__all__ = ["Check", "Column", "Engine", "Explanation", "Table"]
