"""The sink of a webhook: batches by HTTP, signed, with an id that stays the same over retries."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from allotment.errors import InvalidInput, MissingExtra, StoreError
from allotment.exposures.exposure import Exposure
from allotment.exposures.sink import OwnSink, Refused

if TYPE_CHECKING:
    import httpx

# The receiver says with these that it will never take the batch.
_NEVER: Final = frozenset({400, 413, 422})


class WebhookSink(OwnSink):
    """Sends each batch as a POST of NDJSON, one exposure a line.

    `Idempotency-Key` is the SHA-256 of the body, and so the same whenever a batch is sent again: a
    receiver that has seen it answers 200 and drops it. With a secret, `Allotment-Signature` is the
    HMAC-SHA256 of `Allotment-Timestamp`, a point and the body (`signature`).

    An answer 2xx takes the batch; 400, 413 and 422 refuse it for good; after all else, and after
    silence, it is sent again.
    """

    def __init__(
        self,
        url: str,
        *,
        secret: str | None = None,
        timeout: float = 10.0,
        batch_size: int = 500,
        now: Callable[[], float] = time.time,
    ) -> None:
        if not url.startswith(("http://", "https://")):
            raise InvalidInput("the address of a webhook begins with https:// or http://")
        self._url = url
        self._secret = secret
        self._timeout = timeout
        self._now = now
        self._client: httpx.Client | None = None
        self.batch_size = batch_size

    def write(self, batch: Sequence[Exposure], /) -> None:
        """Send these; raises Refused for a batch that is refused, StoreError for one to retry."""
        try:
            import httpx  # noqa: PLC0415  # few need it
        except ImportError as error:
            raise MissingExtra("a webhook needs httpx: pip install 'allotment[client]'") from error
        body = b"".join(each.line for each in batch)
        headers = {
            "Content-Type": "application/x-ndjson",
            "Idempotency-Key": hashlib.sha256(body).hexdigest(),
        }
        if self._secret is not None:
            moment = str(int(self._now()))
            headers["Allotment-Timestamp"] = moment
            headers["Allotment-Signature"] = signature(self._secret, moment, body)
        if self._client is None:
            self._client = httpx.Client(timeout=self._timeout)
        try:
            # What a receiver answers is not read: it may be endless.
            with self._client.stream("POST", self._url, content=body, headers=headers) as answer:
                status = answer.status_code
        except httpx.HTTPError as error:
            said = type(error).__name__
            raise StoreError(f"exposures cannot be sent, and wait: {said}") from error
        if status in _NEVER:
            raise Refused(f"the webhook refuses {len(batch):,} exposures: it answers {status}")
        if not 200 <= status < 300:
            raise StoreError(f"exposures cannot be sent, and wait: the webhook answers {status}")

    def close(self) -> None:
        """Close the connection."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def forked(self) -> None:
        """Leave the parent its connection."""
        self._client = None


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """What `Allotment-Signature` says of a body: HMAC-SHA256 as 64 hexadecimal digits."""
    signed = timestamp.encode() + b"." + body
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
