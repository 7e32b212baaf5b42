"""Every error under the vendor's paths has the vendor's body, whoever raises it."""

import secrets
from hashlib import sha256
from typing import Any

import httpx
import pytest

from allotment.errors import AllotmentError, StoreError, StoreFull
from allotment.server.api.vendor_errors import show_auth0 as show_error
from allotment.server.auth0 import router
from allotment.store import Scope, Token
from tenant import SPACE, Tenant

PATH = "/experiments"


def token(api: Tenant, scope: Scope) -> str:
    """The text of a new token; from the first on, nobody is let in without one."""
    text = secrets.token_urlsafe()
    digest = sha256(text.encode()).hexdigest()
    made = Token(secrets.token_hex(4), digest, scope, SPACE, "test", 0, None, None)
    api.node.store.add_token(made)
    api.run(api.node.catch_up())
    return text


def error(answer: httpx.Response) -> tuple[int, str]:
    tree = answer.json()
    assert list(tree) == ["statusCode", "error", "message", "errorCode"]
    assert tree["error"] == httpx.codes.get_reason_phrase(answer.status_code)
    assert tree["statusCode"] == answer.status_code
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    return answer.status_code, tree["errorCode"]


def test_who_may_not_is_told_so_in_the_vendor_s_words(api: Tenant) -> None:
    texts = {scope: token(api, scope) for scope in Scope}
    body = {"name": "A segment", "rules": [{"match": {"country": ["SE"]}}]}
    for scope, text in texts.items():
        for value in (f"Bearer {text}", text):
            read = api.call("GET", PATH, authorization=value)
            write = api.call("POST", "/segments", body, authorization=value)
            may_read, may_write = scope.covers(Scope.READ), scope.covers(Scope.WRITE)
            assert read.is_success is may_read
            assert write.is_success is may_write
            if not may_read:
                assert error(read) == (403, "insufficient_scope")
            if not may_write:
                assert error(write) == (403, "insufficient_scope")
            else:
                api.call("DELETE", f"/segments/{write.json()['id']}", authorization=value)
    for headers in ({"authorization": "Bearer x"}, {"authorization": "Basic eDp5"}):
        refusal = api.call("GET", PATH, **headers)
        assert error(refusal) == (401, "invalid_token")
        assert "www-authenticate" in refusal.headers


def test_the_scope_of_every_operation_is_in_its_description() -> None:
    reading = {"GET", "validate"}
    for route in router.routes:
        said: Any = route.openapi_extra  # type: ignore[attr-defined]
        (method,) = route.methods  # type: ignore[attr-defined]
        last = route.path.rpartition("/")[2]  # type: ignore[attr-defined]
        expected = "read" if {method, last} & reading else "write"
        assert said["x-allotment-scope"] == expected
    assert len(router.routes) == 24


@pytest.mark.parametrize(
    ("content", "kind", "expected"),
    [
        (b"{", "application/json", (400, "invalid_body")),
        (b"", "application/json", (400, "invalid_body")),
        (b"\xef\xbb\xbf{}", "application/json", (400, "invalid_body")),
        (b'{"name": "a b c", "name": "d e f"}', "application/json", (400, "invalid_body")),
        (b'{"name": NaN}', "application/json", (400, "invalid_body")),
        (b'{"name": "\\ud800abc"}', "application/json", (400, "invalid_body")),
        (b"[" * 5000, "application/json", (400, "invalid_body")),
        (b"name=abc", "application/x-www-form-urlencoded", (415, "unsupported_media_type")),
        (b'"' + b"x" * (1 << 20) + b'"', "application/json", (413, "payload_too_large")),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(
    api: Tenant, content: bytes, kind: str, expected: tuple[int, str]
) -> None:
    for path in ("/experiments", "/feature-flags", "/segments"):
        answer = api.send("POST", path, content, content_type=kind)
        assert error(answer) == expected


def test_a_path_or_query_that_is_not_utf_8_is_refused(api: Tenant) -> None:
    assert error(api.send("GET", "/experiments/%ff"))[0] == 400
    assert error(api.send("GET", "/experiments?from=%ff"))[0] == 400


@pytest.mark.parametrize(
    ("raised", "status", "code"),
    [
        (AllotmentError("a fault"), 500, "internal_error"),
        (StoreError("away"), 503, "service_unavailable"),
        (StoreFull("full"), 507, "insufficient_storage"),
    ],
)
def test_what_is_our_own_fault_has_the_same_body(
    raised: AllotmentError, status: int, code: str
) -> None:
    answer = show_error(raised)
    assert answer.status == status
    assert f'"errorCode":"{code}"'.encode() in answer.body


def test_a_fault_of_ours_says_nothing_of_itself(
    api: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a secret of the house")

    monkeypatch.setattr("allotment.server.api.mount.version_of", broken)
    segment = api.segment()
    answer = api.send("GET", f"/segments/{segment}")
    assert error(answer) == (500, "internal_error")
    assert "secret" not in answer.text
