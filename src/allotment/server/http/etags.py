"""What stands in an entity tag here: the version of what it is of, and how that was shown.

A version is a revision and, after a hyphen, what tells it from another of the same number: of a
noun a digest of its content, of a catalog its lineage. After a failover that lost commits another
change may get a number that a client has seen, and the number alone would match.

A change is conditional on the version alone. Where the same version is not always shown alike, as
where an answer also shows what is so of other nouns, a point and a digest of the answer follow it:
"17-03ab….5f0c…" (RFC 9110, 8.8.3).
"""

from __future__ import annotations

import hashlib

import msgspec

from allotment.change.kinds import CATALOG, nouns_of
from allotment.model.plain import to_plain
from allotment.server.http.headers import Tags
from allotment.store import Head, Stored

_DIGEST_BYTES = 8

# What a catalog's version looks like, which is the id of an event too.
EVENT_ID = "^[0-9]{1,18}(-[0-9a-f]{32})?$"


def noun_version(stored: Stored, kind: str, key: str) -> str:
    """The version of a noun; "" where it is not there."""
    version = stored.versions.get(f"{kind}:{key}")
    if version is None:
        return ""
    noun = stored.catalog.kept if kind == CATALOG else nouns_of(stored.catalog, kind)[key]
    content = msgspec.json.encode(to_plain(noun), order="deterministic")
    return f"{version.revision}-{digest_of(content)}"


def catalog_version(head: Head) -> str:
    """The version of a whole catalog; an empty one at revision 0 has no lineage."""
    return f"{head.revision}-{head.lineage}" if head.lineage else str(head.revision)


def etag(version: str, shown: str = "") -> str:
    """The tag of a version, as it is shown."""
    return f'"{version}.{shown}"' if shown else f'"{version}"'


def digest_of(body: bytes) -> str:
    """What tells this content from another of the same number."""
    return hashlib.blake2b(body, digest_size=_DIGEST_BYTES).hexdigest()


def has_version(tags: Tags, version: str, *, weakly: bool = False) -> bool:
    """Whether a version is among the tags; what is not there has none, and is in no list."""
    if not version:
        return False
    named = tags.strong | tags.weak if weakly else tags.strong
    return tags.any or version in {tag.partition(".")[0] for tag in named}


def has(tags: Tags, tag: str) -> bool:
    """Whether this very tag, weak or strong, is among the tags."""
    return tags.any or tag.strip('"') in tags.strong | tags.weak
