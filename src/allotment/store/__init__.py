"""The only floor that keeps data: revisions of the catalog and the journal of what changed."""

from allotment.store.journal import Entry
from allotment.store.store import Store

__all__ = ["Entry", "Store"]
