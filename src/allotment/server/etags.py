"""What stands in an entity tag here: the revision of what it is of, and how that was shown.

A change is conditional on the revision alone. Where the same revision is not always shown alike,
as where an answer also shows what is so of other nouns, a point and a digest of the answer follow
it: "17.5f0c…" (RFC 9110, 8.8.3).
"""

from __future__ import annotations

import hashlib

from allotment.server.headers import Tags

_DIGEST_BYTES = 8


def etag(revision: int, shown: str = "") -> str:
    """The tag of what is at a revision, as it is shown."""
    return f'"{revision}.{shown}"' if shown else f'"{revision}"'


def digest_of(body: bytes) -> str:
    """What tells this answer from others at the same revision."""
    return hashlib.blake2b(body, digest_size=_DIGEST_BYTES).hexdigest()


def has_revision(tags: Tags, revision: int, *, weakly: bool = False) -> bool:
    """Whether what is at `revision` is among the tags; 0 is what is not there at all."""
    if revision == 0:
        return False
    named = tags.strong | tags.weak if weakly else tags.strong
    return tags.any or str(revision) in map(revision_in, named)


def revision_in(tag: str) -> str:
    """The revision that a tag names, as it is written there."""
    return tag.partition(".")[0]


def has(tags: Tags, tag: str) -> bool:
    """Whether this very tag, weak or strong, is among the tags."""
    return tags.any or tag.strip('"') in tags.strong | tags.weak
