"""Some requests begin a few at a time, so that assignments are read and answered between them.

The loop runs all that is ready before it looks at the network again. What a client that follows the
server asks takes ten times as long as an assignment, and thousands of clients come back at once
where a server was started again. Without turns an assignment would wait for all that came with it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

# How many begin before the loop looks at the network again, where nothing else is said: some 3 ms.
_AT_ONCE: Final = 8


class Turns:
    """The turns of one event loop."""

    def __init__(self, at_once: int = _AT_ONCE) -> None:
        self._at_once = at_once
        self._begun = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def mine(self) -> None:
        """Return when it is the caller's turn: at once, unless many have had theirs just now."""
        loop = asyncio.get_running_loop()
        if not self._begun:
            loop.call_soon(self._next)
        self._begun += 1
        if self._begun > self._at_once:
            turn = loop.create_future()
            self._waiting.append(turn)
            await turn

    def _next(self) -> None:
        """Those that wait are the first to begin now."""
        self._begun = 0
        while self._waiting and self._begun < self._at_once:
            turn = self._waiting.popleft()
            if not turn.done():  # its client may be gone
                turn.set_result(None)
                self._begun += 1
        if self._begun:
            asyncio.get_running_loop().call_soon(self._next)
