"""Where the rooms of LaunchDarkly's API put their routes."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter

router: Final = APIRouter()
