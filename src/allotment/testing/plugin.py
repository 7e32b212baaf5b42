"""The fixtures that come with the package: pytest finds them where allotment is installed."""

from __future__ import annotations

import pytest

from allotment.testing import ExposureRecorder, ForcedEngine


@pytest.fixture
def forced_engine() -> ForcedEngine:
    """An engine without a catalog, in which a test forces treatments and flags."""
    return ForcedEngine()


@pytest.fixture
def exposure_recorder() -> ExposureRecorder:
    """A sink of `allotment.exposures.Exposures`, with assertions on what was exposed."""
    return ExposureRecorder()
