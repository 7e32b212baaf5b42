"""What this API has and the model lacks."""

from __future__ import annotations

from typing import Final

from allotment.dialects.wire.notes import Notes
from allotment.dialects.wire.source import Tree

__all__ = ["NOTES", "Values", "keep", "keeping", "kept"]

Values = dict[str, Tree]

NOTES: Final = Notes("confidence")

kept = NOTES.kept
keep = NOTES.keep
keeping = NOTES.on_new
