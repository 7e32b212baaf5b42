"""Signing in: the token in a cookie, the forms' own tokens, and what a scope opens."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
import pytest

from allotment.server.settings import Settings
from allotment.server.sync.node import Node
from server.console.visiting import HERE, Visiting, form_of
from server.nodes import calling

pytestmark = pytest.mark.anyio

PAGE = f"{HERE}/experiments"


async def test_without_a_session_a_page_is_the_form_to_sign_in(stranger: httpx.AsyncClient) -> None:
    answer = await stranger.get(PAGE, params={"q": "check"})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert f'name="next" value="{PAGE}?q=check"' in answer.text
    assert "checkout" not in answer.text


async def test_a_token_opens_the_page_that_was_asked_for(visiting: Visiting) -> None:
    answer = await visiting.sign_in(await visiting.token(), PAGE)
    assert (answer.status_code, answer.headers["location"]) == (303, PAGE)
    page = await visiting.browser.get(PAGE)
    assert page.status_code == 200
    assert "checkout" in page.text
    assert "ada" in page.text


async def test_the_cookies_are_strict_and_hidden_from_scripts(visiting: Visiting) -> None:
    answer = await visiting.sign_in(await visiting.token())
    cookie = answer.headers["set-cookie"]
    assert "; Path=/console; HttpOnly; SameSite=Strict" in cookie
    assert "Secure" not in cookie, "the browser speaks no TLS here"
    visiting.browser.cookies.clear()
    page = await visiting.browser.get("/console/sign-in")
    assert page.headers["set-cookie"].startswith("allotment_form=")
    assert "; HttpOnly; SameSite=Strict" in page.headers["set-cookie"]


@pytest.mark.parametrize(
    "header", [{"x-forwarded-proto": "https"}, {"forwarded": "for=192.0.2.1;proto=https"}]
)
async def test_behind_tls_the_cookies_are_secure(
    visiting: Visiting, header: dict[str, str]
) -> None:
    page = await visiting.browser.get("/console/sign-in", headers=header)
    assert page.headers["set-cookie"].endswith("; Secure")


async def test_a_token_that_does_not_hold_is_refused_and_sets_no_session(
    visiting: Visiting,
) -> None:
    for token in ("", "allot_" + "x" * 43, "a b", "é", "x" * 9_000, "x;y", await visiting.token()):
        wrong = await visiting.sign_in(token + "x")
        assert wrong.status_code == 401
        assert "allotment_session" not in wrong.headers.get("set-cookie", "")
        assert "this token is not known" in wrong.text


async def test_a_token_that_may_only_assign_opens_no_page(visiting: Visiting) -> None:
    answer = await visiting.sign_in(await visiting.token("assign"))
    assert answer.status_code == 403
    assert "scope read" in answer.text
    assert (await visiting.browser.get(PAGE)).status_code == 401


async def test_a_revoked_token_opens_nothing_any_more(visiting: Visiting) -> None:
    browser = await visiting.signed_in()
    node = visiting.node
    (known,) = node.store.tokens()
    await node.change_tokens(lambda: node.store.revoke_token(known.id, datetime.now(UTC)))
    answer = await browser.get(PAGE)
    assert answer.status_code == 401
    assert "revoked" in answer.text


async def test_a_token_reaches_its_own_spaces_only(visiting: Visiting) -> None:
    browser = await visiting.signed_in(space="other/production")
    assert (await browser.get(PAGE)).status_code == 403
    assert (await browser.get("/console/other/production/experiments")).status_code == 404


async def test_one_begins_in_a_space_that_is_there(visiting: Visiting) -> None:
    node = visiting.node
    now = datetime.now(UTC)
    for name in ("shop/staging", "shop/testing"):
        await node.in_turn(lambda name=name: node.store.create_space(name, who="t", when=now))
    await node.catch_up()
    browser = await visiting.signed_in(space="shop/*")
    answer = await browser.get("/console", follow_redirects=True)
    assert answer.url.path == "/console/shop/staging/experiments"
    assert "/console/shop/testing/experiments" in answer.text
    assert "default/production" not in answer.text


async def test_a_form_without_the_sessions_own_token_does_nothing(visiting: Visiting) -> None:
    browser = await visiting.signed_in()
    held = form_of((await browser.get(PAGE)).text)
    for wrong in ({"other": "x"}, {"form": ""}, {"form": held[::-1]}, {"form": "é"}):
        answer = await browser.post("/console/sign-out", data=wrong)
        assert answer.status_code == 403, wrong
        assert (await browser.get(PAGE)).status_code == 200
    # That of another session, or of none, is another.
    other = form_of((await httpx_get(visiting, "/console/sign-in")).text)
    assert (await browser.post("/console/sign-out", data={"form": other})).status_code == 403


async def httpx_get(visiting: Visiting, path: str) -> httpx.Response:
    async with calling(visiting.node) as other:
        return await other.get(path)


async def test_a_form_is_read_strictly(visiting: Visiting) -> None:
    browser = await visiting.signed_in()
    held = form_of((await browser.get(PAGE)).text)
    kind = {"content-type": "application/x-www-form-urlencoded"}
    for body, status in ((b"form=%ff", 400), (f"form={held}&form={held}".encode(), 400)):
        answer = await browser.post("/console/sign-out", content=body, headers=kind)
        assert answer.status_code == status
    answer = await browser.post("/console/sign-out", json={"form": held})
    assert answer.status_code == 415


async def test_signing_out_ends_the_session_of_the_browser(visiting: Visiting) -> None:
    browser = await visiting.signed_in()
    held = form_of((await browser.get(PAGE)).text)
    answer = await browser.post("/console/sign-out", data={"form": held})
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/sign-in")
    assert (await browser.get(PAGE)).status_code == 401


@pytest.mark.parametrize(
    "wanted",
    ["//evil.example", "https://evil.example", "/consolex", "/v1/snapshot", "/console/../v1",
     "/console//evil.example", "/console/\\evil", "javascript:alert(1)", "", '/console/"x'],
)  # fmt: skip
async def test_one_is_sent_to_pages_of_the_console_only(visiting: Visiting, wanted: str) -> None:
    answer = await visiting.sign_in(await visiting.token(), wanted)
    assert answer.headers["location"] == "/console"


async def test_a_link_from_another_site_asks_again_as_a_page_of_this_one(
    visiting: Visiting,
) -> None:
    cross = {"sec-fetch-site": "cross-site"}
    answer = await visiting.browser.get(PAGE, params={"q": '"<x'}, headers=cross)
    assert f'content="0; url={PAGE}?q=%22%3Cx"' in answer.text
    same = await visiting.browser.get(PAGE, headers={"sec-fetch-site": "same-origin"})
    assert "http-equiv" not in same.text


async def test_a_header_goes_before_the_cookie(visiting: Visiting) -> None:
    browser = await visiting.signed_in()
    answer = await browser.get(PAGE, headers={"authorization": "Bearer allot_" + "x" * 43})
    assert answer.status_code == 401


async def test_the_console_can_be_elsewhere_or_nowhere(guarded: Node) -> None:
    async with calling(guarded, Settings(console=False)) as client:
        assert (await client.get(PAGE)).status_code == 404
        assert (await client.get("/v1/snapshot")).status_code == 401
    async with calling(guarded, Settings(console_path="/ours")) as client:
        page = await client.get("/ours/sign-in")
        assert 'action="/ours/sign-in"' in page.text
        assert "Path=/ours;" in page.headers["set-cookie"]
        assert (await client.get("/console/sign-in")).status_code == 404


async def test_where_callers_need_no_token_visitors_need_none(client: httpx.AsyncClient) -> None:
    page = await client.get(PAGE)
    assert page.status_code == 200
    assert "loopback" in page.text
    assert "Sign out" not in page.text
    assert (await client.get("/console", follow_redirects=True)).url.path == PAGE
