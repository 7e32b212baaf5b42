"""Which version of Allotment runs."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def running() -> str:
    """The version that is installed; "0" for a checkout that is not."""
    try:
        return version("allotment")
    except PackageNotFoundError:
        return "0"
