"""Where something stands in a request, spelled so that an answer never repeats what came in."""

from __future__ import annotations

import re
from typing import Final

# The names of fields look like this. Any other key of a client is not shown.
_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}\Z")


def step(path: str, key: str) -> str:
    """The path of an object's entry: `$.name`, or `$[...]` for a key that is no plain word."""
    return f"{path}.{key}" if _PLAIN.match(key) else f"{path}[...]"
