"""What every PATCH of this API has in common."""

from __future__ import annotations

from collections.abc import Collection

from allotment.dialects.wire.place import Place


def read_update(body: Place, known: Collection[str]) -> Place:
    """The body of a PATCH, once it has at least one field and no other than the `known` ones.

    Only what it gives is changed.
    """
    body.fields(known)
    if not body.entries(0, len(known)):
        raise body.refusal(f"give at least one of {', '.join(known)}")
    return body
