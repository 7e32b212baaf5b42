"""Serving: one process, or several that share a port, until they are told to stop."""

from __future__ import annotations

from allotment.server import work
from allotment.server.listen import allow_many_files, listeners
from allotment.server.logs import set_up
from allotment.server.settings import Settings
from allotment.server.workers import Workers
from allotment.store import Store


def serve(settings: Settings) -> int:
    """Serve until a signal, then drain; 0 when that was done, 1 when a second signal cut it short.

    Raises AllotmentError for what keeps it from starting: a port in use, a store that is none.
    """
    set_up(settings.log_level, settings.log_format)
    allow_many_files()
    sockets = listeners(settings)
    store = work.open_store(settings)
    if settings.workers == 1:
        return work.run(work.server(settings, sockets, store), sockets)
    if isinstance(store, Store):
        store.close()  # its schema is laid, by one process; each worker opens it for itself
    return Workers(settings, sockets).run()
