"""Other platforms' own files to nouns of a catalog: pure, and nothing is approximated.

In comes what a platform's SDK reads, as JSON values; out go nouns and notes. What cannot be said
exactly is left out whole, and a note says what and why. `allotment import` shows both, and then
changes the catalog.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from allotment.importers import eppo, growthbook, launchdarkly
from allotment.importers.rules import Imported

# By the word of `allotment import`, what reads a platform's payload.
IMPORTERS: Final[Mapping[str, Callable[[Any], Imported]]] = MappingProxyType(
    {
        "eppo": eppo.read,
        "growthbook": growthbook.read,
        "launchdarkly": launchdarkly.read,
    }
)
