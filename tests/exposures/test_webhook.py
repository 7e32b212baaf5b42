"""The webhook: signed batches, the same id over retries, and what each answer means."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from allotment.errors import InvalidInput, StoreError
from allotment.exposures import Exposure, Exposures, Refused, WebhookSink, signature
from allotment.model.assignment import Assignment, Frozen, Reason
from allotment.testing import ForcedEngine
from receiver import receiver

GIVEN = Assignment("checkout", "green", Reason.ALLOCATED, Frozen(), False, 1, 7)
BATCH = tuple(Exposure.of(at, None, "user", f"ü{at}", GIVEN, None) for at in range(3))


@contextmanager
def asking(sink: WebhookSink) -> Iterator[Exposures]:
    engine = ForcedEngine()
    with engine.forced(checkout="green"), Exposures(engine, sink) as exposures:
        yield exposures


def test_a_batch_is_lines_with_an_id_and_a_signature() -> None:
    with receiver() as (url, received):
        sink = WebhookSink(url, secret="s3cret", now=lambda: 1_800_000_000.7)
        sink.write(BATCH)
        sink.close()
    ((headers, body),) = received
    assert [json.loads(line)["unit"] for line in body.splitlines()] == ["ü0", "ü1", "ü2"]
    assert headers["content-type"] == "application/x-ndjson"
    assert headers["idempotency-key"] == hashlib.sha256(body).hexdigest()
    assert headers["allotment-timestamp"] == "1800000000"
    assert headers["allotment-signature"] == signature("s3cret", "1800000000", body)


def test_the_signature_is_hmac_as_others_compute_it() -> None:
    """By `printf '1800000000.body' | openssl dgst -sha256 -hmac s3cret`."""
    found = signature("s3cret", "1800000000", b"body")
    assert found == "b75d78e48d248bed09dd1e1ae44378a6d5b5894c9c56a597519224f493834bb2"


def test_without_a_secret_nothing_is_signed() -> None:
    with receiver() as (url, received):
        sink = WebhookSink(url)
        sink.write(BATCH)
        sink.close()
    assert not [name for name in received[0][0] if name.startswith("allotment-")]


@pytest.mark.parametrize("status", [400, 413, 422])
def test_what_a_receiver_refuses_is_not_sent_again(status: int) -> None:
    with receiver(status) as (url, _), pytest.raises(Refused, match=f"3 exposures.*{status}"):
        WebhookSink(url).write(BATCH)


@pytest.mark.parametrize("status", [301, 401, 404, 408, 409, 429, 500, 503])
def test_all_other_answers_are_tried_again(status: int) -> None:
    with receiver(status) as (url, _), pytest.raises(StoreError, match=f"answers {status}"):
        WebhookSink(url).write(BATCH)


def test_a_receiver_that_is_away_is_tried_again() -> None:
    with receiver() as (url, _):
        pass
    with pytest.raises(StoreError, match="ConnectError"):
        WebhookSink(url).write(BATCH)


def test_a_batch_keeps_its_id_until_it_is_taken() -> None:
    with receiver(503, 500) as (url, received), asking(WebhookSink(url)) as exposures:
        exposures.assign("checkout", "a")
    assert len({headers["idempotency-key"] for headers, _ in received}) == 1
    assert len(received) == 3
    assert exposures.counts.exposures_written == 1


def test_a_batch_has_at_most_so_many() -> None:
    with receiver() as (url, received), asking(WebhookSink(url, batch_size=10)) as exposures:
        for unit in range(25):
            exposures.assign("checkout", unit)
    assert max(body.count(b"\n") for _, body in received) <= 10
    assert sum(body.count(b"\n") for _, body in received) == 25


def test_an_address_of_another_kind_is_refused() -> None:
    with pytest.raises(InvalidInput, match="https"):
        WebhookSink("ftp://example.org")
