"""For tests of code that asks an engine: what is forced, and what was exposed."""

from allotment.testing.forced import ForcedEngine
from allotment.testing.recorder import ExposureRecorder

__all__ = ["ExposureRecorder", "ForcedEngine"]
