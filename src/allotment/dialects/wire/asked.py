"""A request, as a dialect reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from allotment.dialects.wire.given import Given
from allotment.dialects.wire.place import Place
from allotment.dialects.wire.version import Versions


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request says, and what the face gives beside it.

    ids    the parts of its path that name nouns
    query  its query's parameters, an object of text under the path "query"
    body   its JSON; null where the call has none
    given  what the face gives
    versions  when and by whom each noun of the catalog was made
    """

    ids: Mapping[str, str]
    query: Place
    body: Place
    given: Given
    versions: Versions = field(default_factory=dict)
