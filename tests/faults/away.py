"""A PostgreSQL that is not there for a while."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from faults.processes import family
from postgres import Postgres


@contextmanager
def away(postgres: Postgres) -> Iterator[None]:
    """Crash it; it is back when the block ends."""
    postgres.stop("QUIT")
    try:
        yield
    finally:
        postgres.start()


@contextmanager
def hanging(postgres: Postgres) -> Iterator[None]:
    """Freeze it, sessions and all; it goes on when the block ends."""
    assert postgres._keeper is not None
    frozen = family(postgres._keeper.pid)[1:]
    for process in frozen:
        os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in frozen:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGCONT)
