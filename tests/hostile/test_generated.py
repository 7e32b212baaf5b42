"""Requests made up from the OpenAPI document, valid ones and broken ones, by schemathesis."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext, suppress
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from hostile.operations import METHODS
from serving import Server

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
# The target or the head of the request is too long: no operation is asked, and none says so.
BEFORE_ANY_OPERATION = (414, 431)
SHARES = 4  # so that two workers may divide them


@pytest.mark.parametrize("share", range(SHARES))
def test_no_request_made_from_the_document_is_answered_with_more_than_it_says(
    attacked: Server, admin: str, document: Mapping[str, Any], share: int
) -> None:
    assert _ask(attacked, admin, document, share, 600 // SHARES) >= 600 // SHARES


@pytest.mark.soak
@pytest.mark.parametrize("share", range(SHARES))
def test_nor_are_ten_thousand(
    attacked: Server, admin: str, document: Mapping[str, Any], share: int
) -> None:
    assert _ask(attacked, admin, document, share, 10_000 // SHARES) >= 10_000 // SHARES


def _ask(server: Server, token: str, document: Mapping[str, Any], share: int, cases: int) -> int:
    """Ask a share of the operations so many cases in all; how many were asked."""
    schema = schemathesis.openapi.from_dict(dict(document))
    schema.config.update(base_url=server.url)
    schema.config.max_stream_events = 1  # a stream has no end
    found = [result.ok() for result in schema.get_all_operations()]
    assert len(found) == sum(m in METHODS for item in document["paths"].values() for m in item)
    mine = found[share::SHARES]
    asked = 0
    # Whoever takes nothing has one case; the others make up for it.
    for each, operation in enumerate(mine):
        wanted = -(-(cases - asked) // (len(mine) - each))
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            asked += _ask_one(operation, mode, token, -(-wanted // 2))
    return asked


def _ask_one(operation: Any, mode: GenerationMode, token: str, cases: int) -> int:
    asked = 0

    @settings(
        max_examples=cases,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Case) -> None:
        nonlocal asked
        asked += 1
        headers = {"Authorization": f"Bearer {token}"}
        answer = case.call(headers=headers, timeout=30)
        if answer.status_code not in BEFORE_ANY_OPERATION:
            case.validate_response(answer, checks=CHECKS)

    nothing_to_break = (schemathesis.errors.SchemathesisError, Unsatisfiable)
    with suppress(*nothing_to_break) if mode is GenerationMode.NEGATIVE else nullcontext():
        ask()
    return asked
