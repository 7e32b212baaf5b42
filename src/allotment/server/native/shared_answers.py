"""Answers that many ask for at once: each is made once, off the loop, and its bytes shared."""

from __future__ import annotations

import asyncio
import zlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Final

from allotment.server.http.answer import Answer

GZIP: Final = "gzip"

# What is kept of them, in bytes and in number; one alone may be larger.
_BYTES_MAX: Final = 64 << 20
_COUNT_MAX: Final = 256

# Smaller ones would hardly become smaller.
_GZIP_BYTES_MIN: Final = 1024
_GZIP_LEVEL: Final = 6
_GZIP_WINDOW: Final = 31  # 15 bits, and the header of gzip rather than that of zlib


class SharedAnswers:
    """The last answers by what they are about. A key names one answer for ever."""

    def __init__(self) -> None:
        self._made: OrderedDict[Hashable, Answer] = OrderedDict()
        self._bytes = 0
        self._making: dict[Hashable, asyncio.Task[Answer]] = {}

    async def of(self, key: Hashable, make: Callable[[], Awaitable[Answer]]) -> Answer:
        """The answer under a key, made now unless it is there or being made."""
        known = self._made.get(key)
        if known is not None:
            return known
        making = self._making.get(key)
        if making is None:
            making = self._making[key] = asyncio.ensure_future(self._make(key, make))
            making.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(making)  # the others go on where one of them gives up

    async def _make(self, key: Hashable, make: Callable[[], Awaitable[Answer]]) -> Answer:
        try:
            answer = await make()
        finally:
            del self._making[key]
        self._made[key] = answer
        self._bytes += len(answer.body)
        while len(self._made) > 1 and (self._bytes > _BYTES_MAX or len(self._made) > _COUNT_MAX):
            _, oldest = self._made.popitem(last=False)
            self._bytes -= len(oldest.body)
        return answer


def compressed(answer: Answer) -> Answer:
    """The answer with its body in gzip, where that is worth it. It takes a while: off the loop."""
    if len(answer.body) < _GZIP_BYTES_MIN:
        return answer
    packer = zlib.compressobj(_GZIP_LEVEL, wbits=_GZIP_WINDOW)
    body = packer.compress(answer.body) + packer.flush()
    return Answer(answer.status, (*answer.headers, ("content-encoding", GZIP)), body)
