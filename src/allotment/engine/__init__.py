"""The current snapshot, and the answers it gives: assign, assign many, resolve, explain."""

from allotment.engine.engine import Engine
from allotment.engine.notes import NeverMatches

__all__ = ["Engine", "NeverMatches"]
