"""Rows that were checked are kept in a store, and what came of them is counted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from allotment.model.catalog import Catalog
from allotment.store import StickyKey, Store


class KeptCounts(NamedTuple):
    """What came of rows.

    kept          rows that are kept from now on
    already_kept  rows whose unit had a treatment: it stays
    differing     those of them where it is another treatment
    """

    kept: int
    already_kept: int
    differing: int


def keep_rows(store: Store, rows: Sequence[tuple[StickyKey, str]], catalog: Catalog) -> KeptCounts:
    """Keep rows of live iterations of a catalog in one transaction; of two of a unit, the first."""
    first: dict[StickyKey, str] = {}
    for sticky_key, treatment in rows:
        first.setdefault(sticky_key, treatment)
    names = {
        key: {treatment.key for treatment in catalog.experiments[key].current.treatments}
        for key in {sticky_key.experiment for sticky_key in first}
    }
    there = store.sticky(first)
    new = {
        sticky_key: treatment
        for sticky_key, treatment in first.items()
        if sticky_key not in there
        or there[sticky_key].standing(names[sticky_key.experiment]) is None
    }
    now = there
    if new:
        behind = {sticky_key: there[sticky_key] for sticky_key in new if sticky_key in there}
        when = datetime.now(UTC)
        now |= store.keep(new, revision=catalog.revision, when=when, behind=behind)
    standing = {
        sticky_key: now[sticky_key].standing(names[sticky_key.experiment]) for sticky_key in first
    }
    treatments = {
        sticky_key: each.treatment for sticky_key, each in standing.items() if each is not None
    }
    kept = sum(treatments.get(sticky_key) == treatment for sticky_key, treatment in new.items())
    differing = sum(treatments.get(sticky_key) != treatment for sticky_key, treatment in rows)
    return KeptCounts(kept, len(rows) - kept, differing)
