"""Serves in one process, or in several that share a port, until a signal."""

from __future__ import annotations

import logging
from typing import Final

from allotment.server.auth.first_token import make_first_token
from allotment.server.process import run
from allotment.server.process.drain import keep_on_at_hangup
from allotment.server.process.listen import allow_many_files, listeners
from allotment.server.process.logs import set_up
from allotment.server.process.supervisor import Workers
from allotment.server.settings import Settings
from allotment.store import Store

log: Final = logging.getLogger("allotment.server")


def serve(settings: Settings) -> int:
    """Serve until a signal, then drain; 0 when that was done, 1 when a second signal cut it short.

    Raises AllotmentError for what keeps it from starting: a port in use, a store that is none.
    """
    set_up(settings.log_level, settings.log_format)
    keep_on_at_hangup()
    allow_many_files()
    sockets = listeners(settings)
    store = run.open_store(settings)
    if settings.insecure_local:
        log.warning(
            "insecure_local is on: who reaches this port from this machine may do everything,"
            " without a token"
        )
    elif isinstance(store, Store):
        make_first_token(store, run.beside(settings, "token"), run.last_good(settings))
    if settings.workers == 1:
        return run.run(run.server(settings, sockets, store), sockets)
    if isinstance(store, Store):
        store.close()  # its schema is laid, by one process; each worker opens it for itself
    return Workers(settings, sockets).run()
