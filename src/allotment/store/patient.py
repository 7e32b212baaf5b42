"""A connection to PostgreSQL on which every statement ends within a bounded time."""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import Any, TypeVar

from psycopg import Connection, OperationalError
from psycopg.waiting import Ready, Wait

T = TypeVar("T")


class PatientConnection(Connection[Any]):
    """A connection that is closed when the server sends nothing in the middle of a statement.

    A server whose machine or disk hangs sends nothing, keeps its connections open, and does not
    apply its own `statement_timeout`. `silence` is how long it may send nothing, in seconds. It is
    longer than `lock_timeout`. None means without a bound.
    """

    silence: float | None = 15

    def wait(self, gen: Generator[Wait, Ready | int, T], *arguments: Any, **named: Any) -> T:
        """The result of `gen`; psycopg waits for each answer of the server here."""
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
