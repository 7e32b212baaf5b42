"""Serving: one process, or several that share a port, until they are told to stop."""

from __future__ import annotations

import logging
from typing import Final

from allotment.server import work
from allotment.server.firsttoken import make_first_token
from allotment.server.listen import allow_many_files, listeners
from allotment.server.logs import set_up
from allotment.server.settings import Settings
from allotment.server.workers import Workers
from allotment.store import Store

log: Final = logging.getLogger("allotment.server")


def serve(settings: Settings) -> int:
    """Serve until a signal, then drain; 0 when that was done, 1 when a second signal cut it short.

    Raises AllotmentError for what keeps it from starting: a port in use, a store that is none.
    """
    set_up(settings.log_level, settings.log_format)
    allow_many_files()
    sockets = listeners(settings)
    store = work.open_store(settings)
    if settings.insecure_local:
        log.warning(
            "insecure_local is on: who reaches this port from this machine may do everything,"
            " without a token"
        )
    elif isinstance(store, Store):
        make_first_token(store, work.beside(settings, "token"), work.last_good(settings))
    if settings.workers == 1:
        return work.run(work.server(settings, sockets, store), sockets)
    if isinstance(store, Store):
        store.close()  # its schema is laid, by one process; each worker opens it for itself
    return Workers(settings, sockets).run()
