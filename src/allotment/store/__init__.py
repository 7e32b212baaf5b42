"""The only floor that keeps data: revisions of the catalog and the journal of what changed."""

from allotment.store.commit import Build, Origin
from allotment.store.idempotency import Once
from allotment.store.journal import Entry
from allotment.store.lastgood import LastGood
from allotment.store.lineage import OTHER_HISTORY, Head
from allotment.store.sticky import StickyKey, StickyTreatment
from allotment.store.store import Store
from allotment.store.stored import Committed, Pulse, Stored, Version
from allotment.store.token import Scope, Token

__all__ = [
    "OTHER_HISTORY",
    "Build",
    "Committed",
    "Entry",
    "Head",
    "LastGood",
    "Once",
    "Origin",
    "Pulse",
    "Scope",
    "StickyKey",
    "StickyTreatment",
    "Store",
    "Stored",
    "Token",
    "Version",
]
