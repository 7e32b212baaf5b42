"""One process that serves: a node, the application over it, and the server around both."""

from __future__ import annotations

import gc
import logging
import os
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from uvicorn import Config

from allotment import durable
from allotment.errors import InvalidInput, StoreError
from allotment.kernel.memory import keep_memory
from allotment.server.app import create_app
from allotment.server.connection.protocol import Protocol
from allotment.server.connection.state import ServingState
from allotment.server.exposure_log import ExposureLog
from allotment.server.process.drain import DrainingServer
from allotment.server.process.listen import address_of
from allotment.server.process.logs import set_level
from allotment.server.settings import Settings
from allotment.server.shared_metrics import SharedMetrics
from allotment.server.sync.node import Node
from allotment.store import Store, location
from allotment.store.schema import DEFAULT_SPACE

log: Final = logging.getLogger("allotment.server")

_SQLITE: Final = "sqlite:///"

# When the collector looks for garbage: at 50,000 young objects at a time, at the most, which holds
# the loop for some 7 ms. At all objects it looks rarely: that takes as long as there are many.
COLLECTING: Final = (10_000, 3, 1_000)

# What one batch of ten thousand units takes is there for the next one.
_KEPT_BYTES: Final = 8 << 20


def server(
    settings: Settings,
    sockets: Sequence[socket.socket],
    store: Store | Callable[[], Store],
    shared: SharedMetrics | None = None,
) -> DrainingServer:
    """A server that is ready to run on these sockets; `shared` has the metrics of all workers.

    Until it serves, no garbage is collected: what a start makes stays.
    """
    gc.disable()
    node = Node(
        store,
        last_good=last_good(settings),
        store_name=location.name(settings.database_url),
        poll_seconds=settings.poll_ms / 1000,
        insecure_local=settings.insecure_local,
    )
    exposures = ExposureLog.of(settings, node.threads)
    state = ServingState(settings, node.counters)
    url = address_of(sockets[0])

    def ready() -> None:
        log.info("serving", extra={"fields": {"url": url, **_about(settings, node)}})
        # What is loaded by now stays: the collector need not look through it again and again.
        gc.freeze()
        # What requests leave behind is freed as they end, without the collector: by default it
        # would look at some hundred requests under way again and again, in vain.
        gc.set_threshold(*COLLECTING)
        gc.enable()

    def reload() -> None:
        try:
            level = settings.reread().log_level
        except InvalidInput as error:
            log.error("the settings are not reloaded: %s", error)
            return
        set_level(level)
        exposures.renew()
        log.info("reloaded", extra={"fields": {"log_level": level}})

    def stopping() -> None:
        node.draining = True
        log.info("draining", extra={"fields": {"url": url, "seconds": settings.drain_seconds}})

    return DrainingServer(
        Config(
            create_app(node, settings, exposures, shared),
            http=Protocol,
            ws="none",
            lifespan="on",
            interface="asgi3",
            proxy_headers=False,  # who calls is who connects: what a header says can be made up
            server_header=False,
            access_log=False,
            log_config=None,
            timeout_graceful_shutdown=round(settings.stop_seconds),
        ),
        state,
        settings.drain_seconds,
        node.threads,
        ready=ready,
        stopping=stopping,
        reload=reload,
    )


def run(built: DrainingServer, sockets: Sequence[socket.socket]) -> int:
    """Serve until a signal; 1 when a second signal cut the drain short, else 0."""
    keep_memory(_KEPT_BYTES)
    built.run(sockets=list(sockets))
    log.info("ended", extra={"fields": {"forced": built.forced}})
    if built.forced:
        logging.shutdown()
        os._exit(1)  # whatever a thread still does, it is not waited for
    return 0


def open_store(settings: Settings) -> Store | Callable[[], Store]:
    """The store, or what opens it later if it is away now.

    Raises AllotmentError where nothing is gained by trying again: an address that is none, a file
    that is no store and of which no good copy was kept.
    """

    def opened() -> Store:
        return Store.open(settings.database_url)

    try:
        return opened()
    except StoreError:
        if _file(settings) is not None and not durable.exists(last_good(settings)):
            raise
        return opened


def last_good(settings: Settings) -> Path:
    """Where the last good catalogs are kept."""
    return settings.last_good or beside(settings, "lastgood")


def beside(settings: Settings, kind: str) -> Path:
    """A file of that kind beside the SQLite file; else in the working directory."""
    file = _file(settings)
    return Path(f"allotment.{kind}") if file is None else file.with_name(f"{file.name}.{kind}")


def _file(settings: Settings) -> Path | None:
    """The SQLite file, if the store is one."""
    address = settings.database_url.removeprefix(_SQLITE)
    return None if "://" in address else Path(address)


def _about(settings: Settings, node: Node) -> dict[str, object]:
    served = node.spaces.get(DEFAULT_SPACE)
    return {
        "database": settings.database_url.masked,
        "space": DEFAULT_SPACE,
        "revision": None if served is None else served.revision,
        "spaces": len(node.spaces),
        "pid": os.getpid(),
    }
