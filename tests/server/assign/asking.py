"""The assignment paths without a process around them, over a catalog that stands still."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from allotment.errors import NotFound, StoreError
from allotment.model.catalog import Catalog
from allotment.server.assign.app import AssignPaths
from allotment.server.auth.access import Access
from allotment.server.counters import Counters
from allotment.server.exposure_log import ExposureLog
from allotment.server.http.answer import Ready
from allotment.server.sticky.assignments import StickyAssignments
from allotment.server.sync.spaces import Served, serve_stored
from allotment.server.sync.threads import Threads
from allotment.store import Store, Stored

SPACE = "default/production"


class StillNode:
    """As much of a node as the paths ask for."""

    adopted = 0

    def __init__(self, catalog: Catalog) -> None:
        self.access = Access((), time.time, insecure_local=True)
        self.counters = Counters()
        self.threads = Threads(self.counters)
        self.publish(catalog)

    def publish(self, catalog: Catalog) -> None:
        self._served = serve_stored(Stored(SPACE, catalog))

    @property
    def store(self) -> Store:
        raise StoreError("there is none")

    def served(self, space: str) -> Served:
        if space != SPACE:
            raise NotFound("there is no such space")
        return self._served

    async def serve_from(self, space: str, revision: bytes | None) -> Served:
        assert revision is None, "it has one revision"
        return self.served(space)


@dataclass
class Answer:
    """What was answered; `pieces` are the parts of the body as they were sent."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    pieces: list[bytes] = field(default_factory=list)
    whole: bool = False

    @property
    def body(self) -> bytes:
        return b"".join(self.pieces)

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)

    @property
    def lines(self) -> list[Any]:
        return msgspec.json.Decoder().decode_lines(self.body)


class Paths:
    """Asks the paths over a catalog."""

    def __init__(self, catalog: Catalog, exposures: ExposureLog | None = None) -> None:
        self.node = StillNode(catalog)
        sticky = StickyAssignments(self.node)  # type: ignore[arg-type]
        self._app = AssignPaths(self.node, exposures, sticky)  # type: ignore[arg-type]
        self._is_pure = exposures is None

    def close(self) -> None:
        self._app.close()

    def ask(
        self,
        method: str,
        target: str,
        body: bytes | Mapping[str, Any] | list[bytes] = b"",
        **headers: str,
    ) -> Answer:
        """The answer to one request; a list of bytes is a body that comes in several pieces."""
        return asyncio.run(self._ask(method, target, body, headers))

    async def _ask(self, method: str, target: str, body: Any, headers: Mapping[str, str]) -> Answer:
        raw, _, query = target.partition("?")
        if isinstance(body, Mapping):
            body = msgspec.json.encode(body)
        body = body if isinstance(body, list) else [body]
        chunks = deque(body)
        scope = {
            "type": "http",
            "method": method,
            "path": raw,
            "raw_path": raw.encode(),
            "query_string": query.encode(),
            "headers": [(n.replace("_", "-").encode(), v.encode()) for n, v in headers.items()],
            "client": ("127.0.0.1", 1),
        }
        answer = Answer()

        async def receive() -> dict[str, Any]:
            await asyncio.sleep(0)
            if not chunks:
                await asyncio.Event().wait()  # the client stays
            chunk = chunks.popleft()
            return {"type": "http.request", "body": chunk, "more_body": bool(chunks)}

        async def send(message: Mapping[str, Any]) -> None:
            await asyncio.sleep(0)
            if message["type"] == "http.response.start":
                answer.status = message["status"]
                answer.headers = {n.decode(): v.decode() for n, v in message["headers"]}
            else:
                answer.pieces.append(message["body"])
                answer.whole = not message.get("more_body", False)

        await self._app({**scope}, receive, send)
        if len(body) == 1 and self._is_pure:
            await self._check_at_once({**scope, "state": {}}, body[0], answer)
        return answer

    async def _check_at_once(self, scope: dict[str, Any], body: bytes, answer: Answer) -> None:
        """A body that is there when its request is answered gives the same, without a task."""
        answering = self._app.at_once(scope)
        ready = None if answering is None else answering(scope, body)
        if ready is None:
            return
        ready = ready if isinstance(ready, Ready) else await ready
        assert ready.status == answer.status
        assert {n.decode(): v.decode() for n, v in ready.headers} == answer.headers
        assert ready.body == answer.body
