"""Where the rooms of Confidence's API put their routes."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter

router: Final = APIRouter()
