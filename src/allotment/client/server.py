"""What a client asks a server for: what changed, long lists, and the stream of revisions."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final

import httpx
import msgspec

from allotment.change.noun_reader import read_json
from allotment.client.address import Address
from allotment.errors import AllotmentError, Forbidden, NotFound, StoreError, Unauthorized
from allotment.model.number import read_whole

# The snapshot of a large catalog takes seconds.
_TIMEOUT: Final = httpx.Timeout(30, connect=5)

# The server sends a line each 15 seconds. A proxy that holds them back is found out by this.
_SILENCE: Final = httpx.Timeout(40, connect=5)

_REFUSED: Final = {401: Unauthorized, 403: Forbidden, 404: NotFound}


class Unreachable(StoreError):
    """There was no answer at all."""


class Server:
    """One server, asked by one task at a time for each of the three."""

    def __init__(self, address: Address) -> None:
        self._url = address.url
        self._client = httpx.AsyncClient(
            base_url=address.url, headers=address.headers, timeout=_TIMEOUT
        )
        self._last_event = ""

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def changes(self, revision: int, lineage: str) -> dict[str, Any] | None:
        """What has changed since a revision, in the form of `change.sent`; None: nothing.

        Raises StoreError where the server cannot be asked, and what it refuses.
        """
        query: dict[str, int | str] = {}
        if revision:
            query = {"since": revision, "lineage": lineage}
        headers = {"allotment-min-revision": str(revision)} if revision else {}
        answer = await self._get("/v1/changes", query, headers)
        if answer.status_code == 304:
            return None
        changes = read_json(answer.content)
        if not isinstance(changes, dict):
            raise StoreError(f"{self._url} does not answer as an Allotment server does")
        return None if changes.get("revision") == changes.get("since") else changes

    async def list(self, digest: str) -> bytes:
        """The text of a long list of ids.

        Raises StoreError where a change has come between, and no segment has that list any more.
        """
        try:
            return (await self._get(f"/v1/lists/{digest}", {}, {})).content
        except NotFound as error:
            raise StoreError(str(error)) from error

    async def revisions(self) -> AsyncIterator[int | None]:
        """The revisions that the server streams, until the stream ends; None is a sign of life.

        The first one is that of now, unless it was the last one of an earlier stream.
        """
        headers = {"accept": "text/event-stream"}
        if self._last_event:
            headers["last-event-id"] = self._last_event
        try:
            async with self._client.stream(
                "GET", "/v1/stream", headers=headers, timeout=_SILENCE
            ) as answer:
                if answer.status_code != 200:
                    await answer.aread()
                    raise self._refusal(answer)
                async for line in answer.aiter_lines():
                    name, _, value = line.partition(":")
                    if name == "id":
                        self._last_event = value.strip()
                        revision, _, _ = self._last_event.partition("-")
                        yield read_whole(revision)
                    else:
                        yield None
        except httpx.HTTPError as error:
            raise self._away(error) from error

    async def _get(
        self, path: str, query: dict[str, int | str], headers: dict[str, str]
    ) -> httpx.Response:
        try:
            answer = await self._client.get(path, params=query, headers=headers)
        except httpx.HTTPError as error:
            raise self._away(error) from error
        if answer.status_code not in (200, 304):
            raise self._refusal(answer)
        return answer

    def _away(self, error: httpx.HTTPError) -> Unreachable:
        why = str(error).rpartition("] ")[2] or type(error).__name__
        return Unreachable(f"the server at {self._url} cannot be reached ({why})")

    def _refusal(self, answer: httpx.Response) -> AllotmentError:
        """The error that an answer tells."""
        kind = _REFUSED.get(answer.status_code, StoreError)
        try:
            said = msgspec.json.decode(answer.content, type=_Problem).detail
        except msgspec.DecodeError:
            return StoreError(f"{self._url} answers {answer.status_code}, not as a server of ours")
        return kind(f"the server at {self._url} says: {said}")


class _Problem(msgspec.Struct):
    """What is used of a problem (RFC 9457)."""

    detail: str
