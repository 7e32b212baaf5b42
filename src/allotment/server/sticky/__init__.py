"""Kept assignments: what a unit was given first it gets again, for as long as its iteration lives.

The store has them; this is where a server asks it, off the event loop, and answers accordingly.
"""

from allotment.server.sticky.keeping import Keeping

__all__ = ["Keeping"]
