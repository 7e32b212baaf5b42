"""The vectors of other platforms: those of this repository, and the shared ones where they lie."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

OWN = Path(__file__).parents[1] / "vectors"


def vectors(folder: Path) -> Iterator[dict[str, Any]]:
    """Each vector of each platform, but for the native ones."""
    for path in sorted(folder.glob("*.json")):
        found = json.loads(path.read_text("utf-8"))
        if path.name != "native.json" and isinstance(found.get("vectors"), list):
            yield from found["vectors"]


def shared_folder() -> Path | None:
    """Where vectors lie that are not ours to give away: beside the checkout, or not at all."""
    for parent in Path(__file__).resolve().parents:
        if (parent / "shared" / "vectors").is_dir():
            return parent / "shared" / "vectors"
    return None
