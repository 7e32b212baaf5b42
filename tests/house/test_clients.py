"""The clients that tests install do not keep them waiting for ever."""

import pytest

import clients


def test_an_install_that_does_not_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """npm tries a connection that fails again and again; one held a whole run for 14 minutes."""
    monkeypatch.setattr(clients, "_PATIENCE", 0.1)
    with pytest.raises(AssertionError, match=r"did not end in 0\.1 s, twice"):
        clients._run(["sleep", "60"])
