"""What the assignment paths share with those of OFREP: requests that are answered as they are read.

Each has two ways in, `__call__` and `at_once`, which read, count and refuse alike.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from allotment.server.assign.shown import ALWAYS
from allotment.server.counters import Counters
from allotment.server.http.answer import Answer, Ready, raw_headers
from allotment.server.http.asgi import Scope
from allotment.server.sync.spaces import Served


def is_plain(scope: Scope, headers: Mapping[bytes, bytes]) -> bool:
    """Whether nothing in a head has to be refused or waited for before the body is read."""
    return b"allotment-min-revision" not in headers and len(headers) == len(scope["headers"])


def counted(
    answer: Ready | Awaitable[Ready],
    counters: Counters,
    path: str,
    problem: Callable[[Exception], Ready],
) -> Ready | Awaitable[Ready]:
    """An answer of a path, counted when it is there; `problem` answers what goes wrong before."""
    if isinstance(answer, Ready):
        counters.assigned[path] += 1
        return answer
    return _counted(answer, counters, path, problem)


async def _counted(
    answer: Awaitable[Ready], counters: Counters, path: str, problem: Callable[[Exception], Ready]
) -> Ready:
    try:
        ready = await answer
    except Exception as error:  # noqa: BLE001  # a request must not take the server with it
        return problem(error)
    counters.assigned[path] += 1
    return ready


def refused(answer: Answer, served: Served | None) -> Ready:
    """A refusal, with the revision of what is served, where that is known."""
    headers = [*raw_headers(answer), *ALWAYS]
    if served is not None:
        headers += served.headers
    return Ready(headers, answer.body, answer.status)
