"""Other platforms' own files to nouns of a catalog: pure, and nothing is approximated.

In comes what a platform's SDK reads, as JSON values; out go nouns and notes. What cannot be said
exactly is left out whole, and a note says what and why. `allotment import` shows both, and then
changes the catalog.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, Final

import msgspec

from allotment.importers import (
    confidence,
    eppo,
    flagd,
    growthbook,
    launchdarkly,
    optimizely,
    statsig,
    unleash,
)
from allotment.importers.rules import Imported

# By the word of `allotment import`, what reads a platform's payload.
IMPORTERS: Final[Mapping[str, Callable[[Any], Imported]]] = MappingProxyType(
    {
        "confidence": confidence.read,
        "eppo": eppo.read,
        "flagd": flagd.read,
        # A file does not say which hash dealt its fractions.
        "flagd-1": partial(flagd.read, version=1),
        "flagd-2": partial(flagd.read, version=2),
        "growthbook": growthbook.read,
        "launchdarkly": launchdarkly.read,
        "optimizely": optimizely.read,
        "statsig": statsig.read,
        "unleash": unleash.read,
    }
)


def decoded(platform: str, data: bytes) -> Any:
    """The JSON values of a platform's file: of JSON, or of protocol buffers for Confidence.

    Raises DecodeError or InvalidInput where the bytes are none, and MissingExtra without protobuf.
    """
    if platform == "confidence":
        from allotment.importers import confidence_state  # noqa: PLC0415  # it needs an extra

        return confidence_state.decode(data)
    return msgspec.json.decode(data)
