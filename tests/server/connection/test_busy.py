"""A server that has too much to do refuses each API's clients in that API's own form."""

from __future__ import annotations

import json

import pytest

from allotment.server.api import vendor_errors
from allotment.server.connection import faults
from allotment.server.connection.identity import Identity
from allotment.server.http.problems import RENDERERS
from allotment.server.ofrep import errors as ofrep


@pytest.fixture(autouse=True)
def apis(monkeypatch: pytest.MonkeyPatch) -> None:
    """The forms of errors that an application takes from its APIs."""
    for prefix, render in {**vendor_errors.RENDERERS, **ofrep.RENDERERS}.items():
        monkeypatch.setitem(RENDERERS, prefix, render)


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/api/v2/experimentation/experiments", "errorCode"),
        ("/api/v2/flags/default", "id"),
        ("/api/v2/projects/default/environments/production/experiments", "id"),
        ("/v1/flags:resolve", "details"),
        ("/v1/assign", "detail"),
        ("/v1/commands", "detail"),
        ("/ofrep/v1/evaluate/flags/banner", "errorDetails"),
        ("/projects/default/environments/production/ofrep/v1/evaluate/flags", "errorDetails"),
    ],
)
def test_a_refusal_has_the_form_of_the_api_that_is_asked(path: str, field: str) -> None:
    refusal = faults.busy(path, Identity(b"mine"), close=False, body=True)
    head, _, body = refusal.partition(b"\r\n\r\n")
    # Clients of OFREP wait after 429 only.
    expected = 429 if field == "errorDetails" else 503
    assert head.startswith(b"HTTP/1.1 %d " % expected)
    assert faults.status_of(refusal) == expected
    assert b"\r\nretry-after: 1" in head
    assert b"\r\nx-request-id: mine" in head
    assert field in json.loads(body)
