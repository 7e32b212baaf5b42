"""A connection to PostgreSQL on which no statement waits for ever."""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import Any, TypeVar

from psycopg import Connection, OperationalError
from psycopg.waiting import Ready, Wait

T = TypeVar("T")


class PatientConnection(Connection[Any]):
    """A connection that is given up where the server keeps silent in the middle of a statement.

    A server that hangs, with its machine or its disk, says nothing and hangs up on nobody, and what
    it was told to do about long statements it does not do. `silence` is how long it may say
    nothing, in seconds: longer than it waits for a lock. None is for ever.
    """

    silence: float | None = 15

    def wait(self, gen: Generator[Wait, Ready | int, T], *arguments: Any, **named: Any) -> T:
        """What `gen` gives; every answer of the server passes here."""
        return super().wait(self._heard(gen), *arguments, **named)

    def _heard(self, gen: Generator[Wait, Ready | int, T]) -> Generator[Wait, Ready | int, T]:
        last = time.monotonic()
        try:
            state = next(gen)
            while True:
                ready = yield state
                if ready != Ready.NONE:
                    last = time.monotonic()
                elif self.silence is not None and time.monotonic() - last > self.silence:
                    self.close()
                    raise OperationalError(f"it did not answer within {self.silence} seconds")
                state = gen.send(ready)
        except StopIteration as done:
            value: T = done.value
            return value
