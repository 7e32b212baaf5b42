"""Requests to a server: the answer, or the error that it says."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from allotment.client.address import Address
from allotment.errors import (
    AllotmentError,
    MissingExtra,
    PreconditionFailed,
    StoreError,
)
from allotment.store import Scope

try:
    import httpx
except ModuleNotFoundError as error:
    raise MissingExtra("a server is asked by httpx: pip install 'allotment[server]'") from error

# A server on this machine answers in milliseconds; the snapshot of a large catalog takes seconds.
_TIMEOUT: Final = httpx.Timeout(60, connect=5)


class HttpClient:
    """A connection to the server at `url`, with what every request carries."""

    def __init__(self, url: str, token: str | None, space: str | None) -> None:
        address = Address(url, token, space)
        self.url = address.url
        self._has_token = token is not None
        self._space = space
        headers = {"accept": "application/json", **address.headers}
        self._client = httpx.Client(base_url=self.url, headers=headers, timeout=_TIMEOUT)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def ask(  # noqa: PLR0913  # the parts of a request
        self,
        method: str,
        path: str,
        needs: Scope,
        *,
        query: dict[str, Any] | None = None,
        body: object = None,
        if_match: str | None = None,
    ) -> Any:
        """What the server answers, as plain data; None where the answer has no body.

        `needs` is the scope that the request takes, to be named where the token has less. Raises
        StoreError where there is no answer, and for what the server refuses an AllotmentError with
        the server's own sentence.
        """
        headers = {} if if_match is None else {"if-match": if_match}
        content = None
        if body is not None:
            headers["content-type"] = "application/json"
            content = msgspec.json.encode(body)
        given = {name: value for name, value in (query or {}).items() if value is not None}
        try:
            answer = self._client.request(
                method, path, params=given, headers=headers, content=content
            )
        except httpx.TimeoutException as error:
            raise StoreError(
                f"the server at {self.url} gave no answer in time; try again"
            ) from error
        except httpx.HTTPError as error:
            raise StoreError(
                f"the server at {self.url} cannot be reached ({_reason(error)}); "
                "is it running, and is that its address?"
            ) from error
        if not answer.is_success:
            raise self._refusal(answer, needs)
        return self._plain(answer) if answer.content else None

    def _plain(self, answer: httpx.Response) -> Any:
        try:
            return msgspec.json.decode(answer.content)
        except msgspec.DecodeError:
            raise self._stranger(answer) from None

    def _refusal(self, answer: httpx.Response, needs: Scope) -> AllotmentError:
        """The error that an answer tells."""
        try:
            problem = msgspec.json.decode(answer.content, type=_Problem)
        except msgspec.DecodeError:
            return self._stranger(answer)
        if answer.status_code in (401, 403):
            have = "another" if self._has_token else "one by --token or ALLOTMENT_TOKEN"
            where = f" for {self._space}" if self._space else ""
            return AllotmentError(
                f"{problem.detail}; this takes a token of scope {needs}{where}: give {have}"
            )
        if answer.status_code >= 500:
            request = f" (request {problem.request_id})" if problem.request_id else ""
            return StoreError(f"the server at {self.url} says: {problem.detail}{request}")
        kind = PreconditionFailed if answer.status_code == 412 else AllotmentError
        return kind(problem.detail, problem.path)

    def _stranger(self, answer: httpx.Response) -> StoreError:
        return StoreError(
            f"{self.url} answers {answer.status_code}, but not as an Allotment server does; "
            "is that its address?"
        )


class _Problem(msgspec.Struct):
    """What is used of a problem (RFC 9457)."""

    detail: str
    path: str = ""
    request_id: str = ""


def _reason(error: httpx.HTTPError) -> str:
    """Why a request failed, in the words of the system, which are the last ones."""
    return str(error).rpartition("] ")[2] or type(error).__name__
