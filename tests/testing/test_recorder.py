"""A recorder of exposures: what was shown is found, and a message says what was."""

import pytest

from allotment.exposures import Exposures
from allotment.testing import ExposureRecorder, ForcedEngine


def shown(engine: ForcedEngine, recorder: ExposureRecorder) -> None:
    exposures = Exposures(engine, recorder)
    with engine.forced(checkout="green", flags={"button": "red"}):
        exposures.assign("checkout", "user-1")
        exposures.resolve("button", "user-3")
    with engine.forced(checkout="blue"):
        exposures.assign("checkout", 2)


def test_what_was_shown_is_there_at_once(
    forced_engine: ForcedEngine, exposure_recorder: ExposureRecorder
) -> None:
    shown(forced_engine, exposure_recorder)
    found = exposure_recorder.assert_exposed("checkout", "user-1", "green")
    assert (found.unit_kind, found.reason) == ("user", "ALLOCATED")
    assert exposure_recorder.assert_exposed("checkout", 2).treatment == "blue"
    exposure_recorder.assert_not_exposed("checkout", "user-1", "blue")
    exposure_recorder.assert_not_exposed("checkout", "user-3")
    exposure_recorder.assert_not_exposed("search")


def test_a_message_lists_what_was_recorded(
    forced_engine: ForcedEngine, exposure_recorder: ExposureRecorder
) -> None:
    with pytest.raises(AssertionError, match="'user-1' in 'checkout'; nothing was recorded"):
        exposure_recorder.assert_exposed("checkout", "user-1")
    shown(forced_engine, exposure_recorder)
    listed = "recorded:\n    user 'user-1' in 'checkout' to 'green'\n    user '2' in 'checkout'"
    with pytest.raises(AssertionError, match=f"no exposure of 'user-1' .* to 'red'; {listed}"):
        exposure_recorder.assert_exposed("checkout", "user-1", "red")
    with pytest.raises(AssertionError, match=f"is an exposure: user 'user-1'.*; {listed}"):
        exposure_recorder.assert_not_exposed("checkout", "user-1")
    exposure_recorder.clear()
    exposure_recorder.assert_not_exposed("checkout")
