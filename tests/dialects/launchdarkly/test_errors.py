"""Every error under the vendor's paths has the vendor's body, whoever raises it."""

import secrets
from hashlib import sha256
from typing import Any

import pytest

from allotment.errors import AllotmentError, NotFound, StoreError, StoreFull
from allotment.server.api.vendor_errors import show_launchdarkly as show_error
from allotment.store import Scope, Token
from ldproject import BASE, SEMANTIC, Environment, iteration, refusal

PATHS = ("/experiments", "/experiments/colour")


def token(api: Environment, scope: Scope, space: str = "default/production") -> str:
    """The text of a new token."""
    text = secrets.token_urlsafe()
    digest = sha256(text.encode()).hexdigest()
    made = Token(secrets.token_hex(4), digest, scope, space, "test", 0, None, None)
    api.node.store.add_token(made)
    api.run(api.node.catch_up())
    return text


def test_who_may_not_is_told_so_in_the_vendor_s_words(flagged: Environment) -> None:
    flagged.experiment()
    texts = {scope: token(flagged, scope) for scope in Scope}
    body = {"instructions": [{"kind": "updateName", "value": "New"}]}
    made: Any = {"key": "other", "name": "Other", "iteration": iteration()}
    for path in PATHS:
        assert flagged.refused("GET", path, authorization="x") == (401, "unauthorized")
        reading = {"authorization": texts[Scope.ASSIGN]}
        assert flagged.refused("GET", path, **reading) == (403, "forbidden")
    for method, path, sent in (
        ("PATCH", "/experiments/colour", body),
        ("POST", "/experiments", made),
        ("POST", "/experiments/colour/iterations", iteration()),
    ):
        plain = {"authorization": texts[Scope.READ], "content_type": SEMANTIC}
        assert flagged.refused(method, path, sent, **plain) == (403, "forbidden")
        plain["authorization"] = texts[Scope.WRITE]
        assert flagged.call(method, path, sent, **plain).is_success


def test_a_token_reaches_as_far_as_its_spaces(flagged: Environment) -> None:
    flagged.base = ""
    flagged.post("/v1/spaces", {"name": "default/staging"})
    flagged.base = BASE
    flagged.experiment()
    mine, project, others = (
        {"authorization": token(flagged, Scope.READ, space)}
        for space in ("default/production", "default/*", "other/*")
    )
    assert flagged.call("GET", "/experiments", **mine).is_success
    flagged.base = BASE.replace("production", "staging")
    assert flagged.refused("GET", "/experiments", **mine) == (403, "forbidden")
    assert flagged.call("GET", "/experiments", **project).is_success
    flagged.base = "/api/v2/projects/default"
    assert flagged.refused("GET", "/experiments", **others) == (403, "forbidden")
    unknown = flagged.refused("GET", "/experiments", authorization="x")
    assert unknown == (401, "unauthorized")
    for reaching in (mine, project):
        found = flagged.call("GET", "/experiments", **reaching).json()
        assert [one["environmentKey"] for one in found["items"]] == ["production"]
    named = {**project, "allotment_space": "default/staging"}
    flagged.base = BASE
    assert flagged.refused("GET", "/experiments", **named) == (400, "invalid_request")


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (StoreError("away"), 503, "service_unavailable"),
        (StoreFull("full"), 507, "insufficient_storage"),
        (AllotmentError("a fault"), 500, "internal_service_error"),
        (NotFound("there is none", "$.x"), 404, "not_found"),
    ],
)
def test_faults_have_the_vendor_s_body(error: AllotmentError, status: int, code: str) -> None:
    answer = show_error(error)
    assert answer.status == status
    assert code.encode() in answer.body


def test_each_error_has_an_id_of_its_own_and_gives_nothing_back(flagged: Environment) -> None:
    body = {"instructions": [{"kind": "<b>bogus"}]}
    flagged.experiment()
    answers = [
        flagged.call("PATCH", "/experiments/colour", body, content_type=SEMANTIC) for _ in range(2)
    ]
    assert [refusal(each) for each in answers] == [(400, "invalid_request")] * 2
    assert answers[0].json()["id"] != answers[1].json()["id"]
    assert "bogus" not in answers[0].text
    assert "$.instructions[0].kind" in answers[0].json()["message"]
