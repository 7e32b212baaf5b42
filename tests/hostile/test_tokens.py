"""Every operation, asked with every kind of token: one table says what each may do."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import httpx
import pytest

from allotment.store import Scope, Store
from hostile.operations import Operation, answer_of, console_pages
from serving import SHOP, Server, serving

ELSEWHERE = "elsewhere/test"
REVOKED, EXPIRED = "revoked", "expired"

Tokens = Mapping[str, str]


@pytest.fixture
def by_header(known: list[Operation]) -> list[Operation]:
    return [operation for operation in known if operation.secret is None] + console_pages()


@pytest.fixture(scope="module")
def tokens(attacked: Server, admin: str) -> Tokens:
    """Tokens by what is said of them."""
    made = {str(scope): attacked.token(scope) for scope in Scope}
    made[EXPIRED] = attacked.token("admin", ttl=-1)
    made[REVOKED] = attacked.token("admin")
    made[ELSEWHERE] = attacked.token("admin", space=ELSEWHERE)
    with attacked.client(token=admin) as client:
        assert client.post("/v1/spaces", json={"name": ELSEWHERE}).status_code == 201
    with Store.open(attacked.database) as store:
        digest = hashlib.sha256(made[REVOKED].encode()).hexdigest()
        revoked = next(token for token in store.tokens() if token.digest == digest)
    with attacked.client(token=admin) as client:
        assert client.delete(f"/v1/tokens/{revoked.id}").status_code == 204
    with attacked.client(token=made[REVOKED]) as client:
        _wait_until(lambda: client.get("/v1/snapshot").status_code == 401)
    with attacked.client(token=made[ELSEWHERE]) as client:
        _wait_until(lambda: client.get("/v1/snapshot").status_code == 200)
    return made


def _wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def ask(client: httpx.Client, operation: Operation, **headers: str) -> httpx.Response:
    """Ask for something that is not there, or for something malformed: nothing is changed."""
    body = {"content": b"{", "headers": {"content-type": "application/json", **headers}}
    sent = body if operation.method in ("POST", "PUT", "PATCH") else {"headers": headers}
    return answer_of(client, operation.method, operation.url(), **sent)


def test_without_a_token_that_holds_nothing_is_told_and_nothing_is_done(
    attacked: Server, tokens: Tokens, by_header: list[Operation]
) -> None:
    sent = {
        "none": {},
        "empty": {"authorization": ""},
        "unknown": {"authorization": "Bearer allot_" + "x" * 43},
        "basic": {"authorization": "Basic YWRtaW46YWRtaW4="},
        "of another form": {"authorization": "\x80\xff" * 9},
        "long": {"authorization": "Bearer " + "y" * 4_000},
        REVOKED: {"authorization": f"Bearer {tokens[REVOKED]}"},
        EXPIRED: {"authorization": f"Bearer {tokens[EXPIRED]}"},
        "cut": {"authorization": f"Bearer {tokens['admin'][:-1]}"},
        "twice": {"authorization": f"Bearer Bearer {tokens['admin']}"},
    }
    with attacked.client() as client:
        for operation in by_header:
            for kind, headers in sent.items():
                raw = {name: value.encode("latin-1") for name, value in headers.items()}
                status = ask(client, operation, **raw).status_code  # type: ignore[arg-type]
                if operation.scope == "none":
                    assert status == 200, f"{operation}, {kind}: {status}"
                else:
                    assert status == 401, f"{operation}, {kind}: {status}"


@pytest.mark.parametrize("scope", list(Scope))
@pytest.mark.parametrize("form", ["Bearer {}", "bearer  {}", "{}"])
def test_a_token_reaches_as_far_as_its_scope(
    attacked: Server, tokens: Tokens, by_header: list[Operation], scope: Scope, form: str
) -> None:
    with attacked.client() as client:
        for operation in by_header:
            status = ask(client, operation, authorization=form.format(tokens[scope])).status_code
            if operation.scope == "none" or scope.covers(Scope(operation.scope)):
                assert status not in (401, 403), f"{operation}: {status}"
            else:
                assert status == 403, f"{operation}: {status}"


def test_a_token_in_the_consoles_cookie_opens_its_pages_and_nothing_else(
    attacked: Server, tokens: Tokens, known: list[Operation]
) -> None:
    pages = console_pages()
    assert len(pages) > 2
    for kind, token in tokens.items():
        cookie = {"cookie": f"allotment_session={token}"}
        with attacked.client() as client:
            for page in pages:
                status = ask(client, page, **cookie).status_code
                if kind in (REVOKED, EXPIRED):
                    assert status == 401, f"{page}, {kind}"
                elif kind == ELSEWHERE:
                    inside = "{project}" in page.path
                    assert (status == 403) is inside, f"{page}, {kind}: {status}"
                else:
                    allowed = Scope(kind).covers(Scope(page.scope))
                    assert (status not in (401, 403)) is allowed, f"{page}, {kind}: {status}"
    with attacked.client() as client:
        cookie = {"cookie": f"allotment_session={tokens['admin']}"}
        for operation in known:
            if operation.scope != "none" and operation.secret is None:
                assert ask(client, operation, **cookie).status_code == 401, str(operation)


def test_a_token_reaches_no_other_space(
    attacked: Server, tokens: Tokens, by_header: list[Operation]
) -> None:
    headers = {"authorization": tokens["admin"], "allotment-space": ELSEWHERE}
    with attacked.client() as client:
        for operation in by_header:
            expected = 200 if operation.scope == "none" else 403
            assert ask(client, operation, **headers).status_code == expected, str(operation)


@pytest.mark.parametrize("field", ["clientSecret"])
def test_a_token_in_a_body_opens_what_one_in_a_header_does(
    attacked: Server, tokens: Tokens, known: list[Operation], field: str
) -> None:
    inside = [operation for operation in known if operation.secret == field]
    assert len(inside) == 2
    good = {str(scope): tokens[scope] for scope in Scope} | {ELSEWHERE: tokens[ELSEWHERE]}
    wrong: dict[str, object] = {
        "empty": "",
        "unknown": "allot_" + "x" * 43,
        "long": "y" * 4_000,
        REVOKED: tokens[REVOKED],
        EXPIRED: tokens[EXPIRED],
        "cut": tokens["admin"][:-1],
        "as a header has it": f"Bearer {tokens['admin']}",
    }
    with attacked.client() as client:
        for operation in inside:
            for kind, token in {**good, **wrong}.items():
                body = {**operation.example(), field: token}
                answer = client.request(operation.method, operation.url(), json=body)
                assert (answer.status_code == 401) is (kind in wrong), f"{operation}, {kind}"
            # A token in a header instead is no secret in the body.
            headers = {"authorization": f"Bearer {tokens['admin']}"}
            body = {**operation.example(), field: "unknown"}
            answer = client.request(operation.method, operation.url(), json=body, headers=headers)
            assert answer.status_code == 401, str(operation)


def test_what_lies_in_another_space_is_as_if_it_were_not_there(
    attacked: Server, tokens: Tokens
) -> None:
    with attacked.client(token=tokens[ELSEWHERE]) as client:
        foreign = client.get("/v1/catalog/experiments/checkout")
        unknown = client.get("/v1/catalog/experiments/chickout")
        assert foreign.status_code == unknown.status_code == 404
        assert foreign.json()["title"] == unknown.json()["title"]
        assert client.get("/v1/snapshot").json()["space"] == ELSEWHERE
        answer = client.get("/v1/assign/checkout/someone").json()
        assert "UNKNOWN_EXPERIMENT" in str(answer)


def test_no_token_is_in_the_store_or_in_the_log(attacked: Server, tokens: Tokens) -> None:
    kept = b"".join(file.read_bytes() for file in attacked.folder.iterdir() if file.is_file())
    for kind, token in tokens.items():
        assert token.encode() not in kept, kind


# The caller without a token, where the server is declared to trust this machine.

FROM_ELSEWHERE = {
    "a proxy that follows the standard": {"forwarded": "for=203.0.113.9"},
    "a proxy": {"x-forwarded-for": "127.0.0.1"},
    "a proxy that says little": {"x-forwarded-proto": "https"},
    "a proxy that says it otherwise": {"x-real-ip": "127.0.0.1"},
    "a proxy that only says that it is one": {"via": "1.1 proxy"},
    "a name that was made to point here": {"host": "evil.example"},
    "a name that begins as ours does": {"host": "localhost.evil.example"},
    "another address": {"host": "10.0.0.7:8080"},
    "a page": {"origin": "https://evil.example"},
    "a page without an origin": {"origin": "null"},
    "a page on a port of a name like ours": {"origin": "http://localhost.evil.example:8080"},
    "an image in a page": {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"},
}

STICKY = """
allotment: 1
experiments:
  sticky:
    state: running
    keeps_assignments: true
    treatments: {control: {control: true}, other: {}}
    allocations: [{weights: {control: 50, other: 50}}]
"""


@pytest.fixture(scope="module")
def trusting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that is declared to trust this machine; it knows a token all the same."""
    settings = {"ALLOTMENT_LAUNCHDARKLY_LENIENT": "1"}
    with serving(tmp_path_factory.mktemp("trusting"), catalog=SHOP, env=settings) as server:
        server.token("assign")
        yield server


def test_where_it_is_declared_a_caller_without_a_token_may_do_everything(
    trusting: Server, known: list[Operation]
) -> None:
    with trusting.client() as client:
        for operation in known:
            status = ask(client, operation).status_code
            assert status not in (401, 403), f"{operation}: {status}"
            for origin in ("http://localhost:3000", "http://127.0.0.1", "http://[::1]:80"):
                page = {"origin": origin, "sec-fetch-site": "same-site"}
                assert ask(client, operation, **page).status_code == status, str(operation)


def test_where_it_is_declared_a_token_that_is_sent_has_to_hold(
    trusting: Server, by_header: list[Operation]
) -> None:
    with trusting.client(token="allot_" + "x" * 43) as client:
        for operation in by_header:
            expected = 200 if operation.scope == "none" else 401
            assert ask(client, operation).status_code == expected, str(operation)


@pytest.mark.parametrize("what", FROM_ELSEWHERE)
def test_where_it_is_declared_what_comes_from_elsewhere_is_refused(
    trusting: Server, known: list[Operation], what: str
) -> None:
    with trusting.client() as client:
        for operation in known:
            answer = ask(client, operation, **FROM_ELSEWHERE[what])
            assert answer.status_code == 403, f"{operation}: {answer.text}"
            assert "insecure_local" in answer.text


def test_a_refusal_of_what_comes_from_elsewhere_is_in_the_shape_of_the_api(
    trusting: Server,
) -> None:
    with trusting.client(token="allot_" + "x" * 43) as client:
        for path in (
            "/v1/snapshot",
            "/v1/assign/checkout/someone",
            "/api/v2/experimentation/experiments",
            "/api/v2/flags/default",
            "/v1/flags",
        ):
            unknown = client.get(path)
            refused = client.get(path, headers={"sec-fetch-site": "cross-site"})
            assert (unknown.status_code, refused.status_code) == (401, 403)
            assert unknown.headers["content-type"] == refused.headers["content-type"]
            assert unknown.json().keys() - {"instance", "request_id"} <= refused.json().keys()


def test_an_image_in_a_page_of_another_site_keeps_no_assignment(tmp_path: Path) -> None:
    catalog = tmp_path / "catalog.yaml"
    catalog.write_text(STICKY)
    with serving(tmp_path, catalog=catalog) as server, server.client() as client:
        asked, kept = "/v1/assign/sticky/an-image", "/v1/kept/sticky/an-image"
        image = {"sec-fetch-site": "cross-site", "sec-fetch-dest": "image"}
        assert client.get(asked, headers=image).status_code == 403
        assert client.get(kept).status_code == 404
        assert client.get(asked).status_code == client.get(kept).status_code == 200
