"""What this API has and the model lacks."""

from __future__ import annotations

from typing import Final

from allotment.dialects.wire.notes import Notes, json_text
from allotment.dialects.wire.source import Tree

__all__ = ["Values", "json_text", "keep", "keeping", "kept"]

Values = dict[str, Tree]

_NOTES: Final = Notes("auth0")

kept = _NOTES.kept
keep = _NOTES.keep
keeping = _NOTES.on_new
