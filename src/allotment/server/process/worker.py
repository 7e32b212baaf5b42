"""A process of several that share a port: `workers` starts it, and tells it what to do.

The first line of its standard input holds the settings and the numbers of the sockets; each other
line tells it to read the settings again, the end of that input to stop.
"""

from __future__ import annotations

import json
import logging
import socket
import sys
from typing import Final

from allotment.errors import AllotmentError
from allotment.server.process import run
from allotment.server.process.drain import keep_on_at_hangup
from allotment.server.process.logs import set_up
from allotment.server.settings import Settings

log: Final = logging.getLogger("allotment.server")


def main() -> int:
    """Serve until standard input ends."""
    keep_on_at_hangup()
    given = json.loads(sys.stdin.buffer.readline())
    settings = Settings.taken(given["settings"])
    set_up(settings.log_level, settings.log_format)
    sockets = [socket.socket(fileno=number) for number in given["sockets"]]
    try:
        built = run.server(settings, sockets, run.open_store(settings))
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

    waiting = built.threads.loop("input", await_end, 0)
    waiting.start()
    return run.run(built, sockets)


if __name__ == "__main__":
    sys.exit(main())
