"""Entity tags: a noun's tag is its revision, the snapshot's is the catalog's (RFC 9110, 13.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from allotment.errors import InvalidInput

_TAG: Final = re.compile(r'[ \t]*(W/)?"([\x21\x23-\x7e\x80-\xff]*)"[ \t]*(?:,|\Z)')


def etag(revision: int) -> str:
    """The tag of what is at a revision."""
    return f'"{revision}"'


@dataclass(frozen=True, slots=True)
class Tags:
    """The tags of a conditional header; `any` stands for `*`. Weak ones are kept apart."""

    any: bool
    strong: frozenset[str]
    weak: frozenset[str]

    def has(self, revision: int, *, weakly: bool = False) -> bool:
        """Whether what is at `revision` is among them; 0 is what is not there at all."""
        if revision == 0:
            return False
        tag = str(revision)
        return self.any or tag in self.strong or (weakly and tag in self.weak)


def read_tags(header: str, name: str) -> Tags:
    """The tags of a header; raises InvalidInput for what is not a list of tags."""
    if header.strip(" \t") == "*":
        return Tags(True, frozenset(), frozenset())
    strong: set[str] = set()
    weak: set[str] = set()
    at = 0
    while at < len(header):
        match = _TAG.match(header, at)
        if match is None:
            break
        (weak if match[1] else strong).add(match[2])
        at = match.end()
    if at < len(header) or not (strong or weak) or header.rstrip(" \t").endswith(","):
        raise InvalidInput('this is `*` or a list of entity tags such as "17"', f"headers.{name}")
    return Tags(False, frozenset(strong), frozenset(weak))
