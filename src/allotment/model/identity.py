"""Ids that need no storage: a pure function of the keys of a noun, which never change.

The same catalog has the same ids on every machine and after every import, and a deleted noun that
is created again under its key has its id again. How an id is spelled is each dialect's own matter.
"""

from __future__ import annotations

from hashlib import blake2b


def identity(kind: str, *keys: str) -> str:
    """The 96-bit id of a noun, as 24 hex digits.

    `kind` is "flag", "segment", "layer", "holdout" or "experiment" with its key; or "variation"
    (flag, variation), "iteration" (experiment, number) or "treatment" (experiment, number,
    treatment), whose keys lead to it from the outside in. Each part is preceded by its length, so
    that no two lists of parts are the same bytes.

    >>> identity("flag", "button")
    '00ecac1ef047a1f28a2796ad'
    """
    digest = blake2b(digest_size=12)
    for part in (kind, *keys):
        text = part.encode()
        digest.update(len(text).to_bytes(4, "big"))
        digest.update(text)
    return digest.hexdigest()
