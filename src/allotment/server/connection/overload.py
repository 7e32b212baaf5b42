"""What is let in when more arrives than can be done.

Two things fill up, and one count bounds both. What waits for the store or for a slow reader piles
up as requests under way, whose number has a ceiling (`concurrency`). What only computes never piles
up there, as the loop works off all that has arrived before it looks again (until then it is counted
as under way): it shows as the loop being late. So a beat measures how late the loop runs; when that
is more than `lag_ms`, the ceiling comes down to as many requests as would have fitted, and rises
again while it is on time. Late is only what the process spent on its own work, by the processor's
clock: where a neighbour has the processor, turning requests away would bring nothing back. A fixed
ceiling alone would turn away bursts of assignments that take a millisecond altogether, or let in
bursts of management calls that take a second; the lag needs no knowledge of what each costs.

To turn a request away costs as much as an assignment, so it must not be done as fast as clients
can ask: one that asks again at once would be answered all the more often, and the answers
would eat the time of those who are let in. Refusals therefore wait in a queue, which each beat
works off for a twentieth of the time that the process was at work. At little excess they leave
within a beat; at much they slow down the clients that do not slow down by themselves.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from typing import Final, Protocol

from allotment.errors import Overloaded
from allotment.server.http.limits import BODIES_BYTES_MAX

FULL: Final = Overloaded(
    "the bodies and answers of other requests take all the room there is; ask again soon"
)
BEAT_SECONDS: Final = 0.02

# A refusal takes some 50 us from the first byte to the last, so these take a twentieth of the time
# at work. While the loop is on time there is time to spare, as when all wait for the store.
REFUSALS_A_SECOND: Final = 1_000
REFUSALS_AT_EASE: Final = 16
ON_TIME_SECONDS: Final = 0.003

# However late the loop runs: so many are always let in.
FLOOR: Final = 64

# These are asked by who must know that the process lives, the more so when it is busy.
EXEMPT: Final = frozenset({"/healthz", "/readyz", "/version", "/metrics"})


class Refusable(Protocol):
    """A request that can be answered without being looked at."""

    def refuse(self) -> bool:
        """Send 503; False if the client has disconnected."""


class Load:
    """How much one process has to do, and what it may still take on.

    in_flight  requests that are being worked on
    limit      how many there may be now; at most `concurrency`
    held       bytes of bodies and large answers that are kept until their requests are answered
    lag        how late the loop made the last beat, in seconds
    shed       requests turned away, counted by reason
    """

    def __init__(self, concurrency: int, lag_seconds: float, shed: Counter[str]) -> None:
        self.in_flight = 0
        self.held = 0
        self._sharing: Counter[int] = Counter()  # how many requests send one answer, by its address
        self.limit = concurrency
        self.lag = 0.0
        self.shed = shed
        self._most = concurrency
        self._least = min(FLOOR, concurrency)
        self._target = lag_seconds
        self._peak = 0
        self._passing = 0
        self._refused: deque[Refusable] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._last = 0.0
        self._worked = 0.0

    def enter(self) -> None:
        """Count a request that was admitted; its cycle takes it off `in_flight` again."""
        self.in_flight += 1
        if self.in_flight > self._peak:  # noqa: PLR1730  # `max` takes longer
            self._peak = self.in_flight

    def pass_through(self) -> None:
        """Count a request that is answered at once: it is under way until the loop looks again."""
        if not self._passing:
            asyncio.get_running_loop().call_soon(self._passed)
        self._passing += 1
        self.enter()

    def _passed(self) -> None:
        self.in_flight -= self._passing
        self._passing = 0

    def hold(self, size: int) -> None:
        """Count bytes that a request keeps; raises Overloaded where there is no room for them."""
        if self.held + size > BODIES_BYTES_MAX:
            self.shed["bodies"] += 1
            raise FULL
        self.held += size

    def share(self, answer: bytes) -> None:
        """Count an answer that other requests may send too, at the first of them."""
        if not self._sharing[id(answer)]:
            self.hold(len(answer))
        self._sharing[id(answer)] += 1

    def release(self, answer: bytes) -> None:
        """Take back what `share` counted."""
        self._sharing[id(answer)] -= 1
        if not self._sharing[id(answer)]:
            del self._sharing[id(answer)]
            self.held -= len(answer)

    def refuse(self, request: Refusable) -> None:
        """Turn a request away when its turn comes."""
        self.shed["busy"] += 1
        self._refused.append(request)

    def start(self) -> None:
        """Begin to beat, on the loop that runs."""
        self._last, self._worked = time.monotonic(), time.process_time()
        self._timer = asyncio.get_running_loop().call_later(BEAT_SECONDS, self._beat)

    def stop(self) -> None:
        """Stop the timer; requests that wait are refused now."""
        if self._timer is not None:
            self._timer.cancel()
        self._turn_away(len(self._refused))

    def _beat(self) -> None:
        took = time.monotonic() - self._last
        worked = min(took, time.process_time() - self._worked)
        self.start()
        self.settle(max(0.0, min(took - BEAT_SECONDS, worked)))
        at_ease = took < BEAT_SECONDS + ON_TIME_SECONDS
        self._turn_away(REFUSALS_AT_EASE if at_ease else 1 + int(worked * REFUSALS_A_SECOND))

    def settle(self, lag: float) -> None:
        """Choose the limit for the time until the next beat, given how late this one is."""
        self.lag = lag
        if lag > self._target:
            fitting = int(self._peak * self._target / lag)
            self.limit = max(self._least, min(self.limit, fitting))
        else:
            self.limit = min(self._most, self.limit + self.limit // 8 + 1)
        self._peak = self.in_flight

    def _turn_away(self, count: int) -> None:
        while self._refused and count > 0:
            count -= self._refused.popleft().refuse()
