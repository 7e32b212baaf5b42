"""A server that has too much to do refuses each API's clients in that API's own form."""

from __future__ import annotations

import json

import pytest

import allotment.server.app  # noqa: F401  # each API brings its form of errors
from allotment.server.connection import faults


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/api/v2/experimentation/experiments", "errorCode"),
        ("/api/v2/flags/default", "id"),
        ("/api/v2/projects/default/environments/production/experiments", "id"),
        ("/v1/flags:resolve", "details"),
        ("/v1/assign", "detail"),
        ("/v1/commands", "detail"),
    ],
)
def test_a_refusal_has_the_form_of_the_api_that_is_asked(path: str, field: str) -> None:
    head, _, body = faults.busy(path, close=False, body=True).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 503 ")
    assert field in json.loads(body)
