"""A process of several that share a port: `workers` starts it, and tells it what to do.

The first line of its standard input holds the settings, the numbers of the sockets, and where its
metrics go; each other line tells it to read the settings again, the end of that input to stop.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import socket
import sys
from pathlib import Path
from typing import Final

from allotment.errors import AllotmentError
from allotment.server.process import run
from allotment.server.process.drain import keep_on_at_hangup
from allotment.server.process.logs import set_up
from allotment.server.settings import Settings
from allotment.server.shared_metrics import SharedMetrics

log: Final = logging.getLogger("allotment.server")


def main() -> int:
    """Serve until standard input ends."""
    keep_on_at_hangup()
    given = json.loads(sys.stdin.buffer.readline())
    settings = Settings.taken(given["settings"])
    set_up(settings.log_level, settings.log_format)
    shared = SharedMetrics(Path(given["metrics"]), given["place"])
    sockets = [socket.socket(fileno=number) for number in given["sockets"]]
    try:
        built = run.server(settings, sockets, run.open_store(settings), shared)
    except AllotmentError as error:
        log.error("a worker cannot start: %s", error)
        return 1

    def await_end() -> None:
        try:
            for _ in sys.stdin.buffer:  # each line says to reload
                built.reload()
        finally:  # also where nothing can be read: the parent process is then out of reach
            waiting.stop()
            built.stop()

    parent = os.getppid()
    waiting = built.threads.loop("input", await_end, 0)
    waiting.start()
    code = run.run(built, sockets)
    if os.getppid() != parent:  # it has died and cannot clean up
        shutil.rmtree(given["metrics"], ignore_errors=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
