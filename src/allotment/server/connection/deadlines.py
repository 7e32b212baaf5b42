"""How long a client may take. A sweep once a second sees to it; requests themselves pay nothing.

Nothing is timed where a request is read. The sweep looks at what each connection waits for and how
far it has come, and counts from when it first saw that; so what is too slow is found up to a second
late, and no timer is set or cancelled for all that is quick enough.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final, Protocol

from allotment.server.http.limits import (
    BODY_BYTES_A_SECOND_MIN,
    LINGER_SECONDS,
    READ_BYTES_A_SECOND_MIN,
    UNREAD_SECONDS,
)

SWEEP_SECONDS: Final = 1.0


class Waits(Enum):
    """What a connection waits for."""

    HEAD = auto()  # the client, for the rest of a head, or for the first one
    BODY = auto()  # the client, for the rest of a body
    WORK = auto()  # us
    READER = auto()  # the client, to read what is answered
    REST = auto()  # the client, to send the rest of a request that is answered already
    IDLE = auto()  # the client, for its next request
    END = auto()  # the last bytes, to leave


@dataclass(frozen=True, slots=True)
class Allowance:
    """How long each may take, in seconds."""

    head: float
    body: float
    idle: float


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a connection stands: what it waits for, for which request, and how far that has come.

    `moved` counts bytes: those received of a body, and those that its reader has let us send.
    """

    waits: Waits
    request: int
    moved: int = 0


class Clock:
    """Since when one connection stands as it does."""

    __slots__ = ("_begun", "_last", "_moved", "_read", "_swept", "_unread")

    def __init__(self, now: float) -> None:
        self._last = Standing(Waits.HEAD, 0)
        self._begun = now  # when it began to wait for this
        self._moved = now  # when a byte moved last
        self._swept = now
        # Of the answer under way: how long its reader was waited for, and what it took meanwhile.
        self._unread = 0.0
        self._read = 0

    def overdue(self, standing: Standing, allowed: Allowance, now: float) -> bool:
        """Whether it has stood so for too long."""
        last, self._last = self._last, standing
        passed, self._swept = now - self._swept, now
        self._count_reading(standing, last, passed)
        if standing.waits is not last.waits or standing.request != last.request:
            self._begun = self._moved = now
            return False
        if standing.moved != last.moved:
            self._moved = now
        waited, silent = now - self._begun, now - self._moved
        match standing.waits:
            case Waits.HEAD:
                return waited > allowed.head
            case Waits.BODY:
                enough = allowed.body + standing.moved / BODY_BYTES_A_SECOND_MIN
                return silent > allowed.body or waited > enough
            case Waits.READER:
                enough = UNREAD_SECONDS + self._read / READ_BYTES_A_SECOND_MIN
                return silent > UNREAD_SECONDS or self._unread > enough
            case Waits.REST | Waits.END:
                return waited > LINGER_SECONDS
            case Waits.IDLE:
                return waited > allowed.idle
            case Waits.WORK:
                return False

    def _count_reading(self, standing: Standing, last: Standing, passed: float) -> None:
        if standing.request != last.request:
            self._unread, self._read = 0.0, 0
        elif last.waits is Waits.READER:
            self._unread += passed
            self._read += max(0, standing.moved - last.moved)


class Timed(Protocol):
    """What is looked at of a connection: its requests, and which of them is `due` an answer."""

    transport: Any
    flow: Any
    cycle: Any
    requests: int
    head_open: bool
    deaf: bool

    def due(self) -> Any:
        """The request that is being answered, or None."""


def standing_of(connection: Timed) -> Standing:
    """Where a connection stands now."""
    if connection.transport.is_closing():
        return Standing(Waits.END, connection.requests)
    due = connection.due()
    if due is not None:
        # A client that still sends moves too: most read nothing before they have sent all.
        moved = due.sent - connection.transport.get_write_buffer_size() + due.received
        if connection.flow.write_paused:
            return Standing(Waits.READER, connection.requests, moved)
        ours = due is not connection.cycle or connection.flow.read_paused
        if ours or not due.more_body or due.waiting_for_100_continue:
            return Standing(Waits.WORK, connection.requests, moved)
        return Standing(Waits.BODY, connection.requests, due.received)
    if connection.deaf:
        return Standing(Waits.REST, connection.requests)
    if connection.head_open or not connection.requests:
        return Standing(Waits.HEAD, connection.requests)
    last = connection.cycle
    waits = Waits.REST if last is not None and last.more_body else Waits.IDLE
    return Standing(waits, connection.requests)
