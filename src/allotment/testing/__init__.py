"""For tests of code that asks an engine: treatments and flags that are what the test says."""

from allotment.testing.forced import ForcedEngine

__all__ = ["ForcedEngine"]
