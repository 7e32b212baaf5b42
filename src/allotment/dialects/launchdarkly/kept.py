"""What this API has and the model lacks."""

from __future__ import annotations

from typing import Final

from allotment.dialects.wire.notes import Notes

NOTES: Final = Notes("launchdarkly")
