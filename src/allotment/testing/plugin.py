"""The fixture that comes with the package: pytest finds it where allotment is installed."""

from __future__ import annotations

import pytest

from allotment.testing import ForcedEngine


@pytest.fixture
def forced_engine() -> ForcedEngine:
    """An engine without a catalog, in which a test forces treatments and flags."""
    return ForcedEngine()
