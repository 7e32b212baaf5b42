"""OpenID Connect: a person of a group signs in, stands in the journal by name, and signs out."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from allotment.errors import InvalidInput
from allotment.server.auth.openid_groups import GroupRule, read_groups, rule_for
from allotment.server.settings import Settings
from allotment.server.sync.node import Node
from allotment.store import Scope
from server.console.issuing import CLIENT, SECRET, Issuer, issuing
from server.console.visiting import HERE, form_of
from server.nodes import calling

pytestmark = pytest.mark.anyio

GROUPS = "admins=admin, shop=write:default/*, other=write:other/production"


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with issuing() as provider:
        yield provider


@pytest.fixture
def settings(issuer: Issuer) -> Settings:
    return Settings(
        openid_issuer=issuer.url,
        openid_client=CLIENT,
        openid_secret=SECRET,
        openid_groups=GROUPS,
        openid_hours=2,
    )


@pytest.fixture
async def browser(guarded: Node, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async with calling(guarded, settings) as client:
        yield client


async def sign_in(browser: httpx.AsyncClient, issuer: Issuer, wanted: str = "") -> httpx.Response:
    begun = await browser.get("/console/sign-in/openid", params={"next": wanted})
    assert begun.status_code == 303, begun.text
    return await browser.get(issuer.back(begun.headers["location"]))


async def test_a_person_signs_in_and_stands_in_the_journal_by_name(
    guarded: Node, browser: httpx.AsyncClient, issuer: Issuer
) -> None:
    assert "sign-in/openid" in (await browser.get(f"{HERE}/experiments")).text
    answer = await sign_in(browser, issuer, f"{HERE}/history")
    assert answer.status_code == 200
    assert f'content="0; url={HERE}/history"' in answer.text
    page = await browser.get(f"{HERE}/experiments")
    assert page.status_code == 200
    assert "Ada L." in page.text
    (token,) = guarded.store.tokens()
    assert (token.name, token.scope, token.space) == ("Ada L.", Scope.WRITE, "default/*")
    assert token.created_by == "openid 42"
    assert token.expires_at == token.created_at + 2 * 3_600_000
    header = {"authorization": f"Bearer {browser.cookies['allotment_session']}"}
    command = {"is": "PauseIteration", "experiment": "plain"}
    await browser.post("/v1/commands", json={"commands": [command]}, headers=header)
    (entry,) = guarded.store_at("default/production").journal(1)
    assert (entry.who, entry.name) == (token.id, "Ada L.")
    assert "Ada L." in (await browser.get(f"{HERE}/history")).text


async def test_signing_out_ends_the_token_that_was_made_for_the_session(
    guarded: Node, browser: httpx.AsyncClient, issuer: Issuer
) -> None:
    await sign_in(browser, issuer)
    header = {"authorization": f"Bearer {browser.cookies['allotment_session']}"}
    held = form_of((await browser.get(f"{HERE}/experiments")).text)
    assert (await browser.post("/console/sign-out", data={"form": held})).status_code == 303
    assert (await browser.get("/v1/snapshot", headers=header)).status_code == 401
    (token,) = guarded.store.tokens()
    assert token.revoked_at is not None


async def test_the_cookie_of_the_way_there_is_lax_and_short(
    browser: httpx.AsyncClient, issuer: Issuer
) -> None:
    begun = await browser.get("/console/sign-in/openid")
    (cookie,) = [
        each for each in begun.headers.get_list("set-cookie") if each.startswith("allotment_openid")
    ]
    assert "Path=/console; HttpOnly; SameSite=Lax; Max-Age=600" in cookie
    answer = await browser.get(issuer.back(begun.headers["location"]))
    assert "allotment_openid=; " in str(answer.headers.get_list("set-cookie"))


WRONG: dict[str, tuple[dict[str, Any], int]] = {
    "another issuer": ({"iss": "https://evil.example"}, 401),
    "another client": ({"aud": "other"}, 401),
    "several clients, of another": ({"aud": [CLIENT, "other"], "azp": "other"}, 401),
    "another sign-in": ({"nonce": "other"}, 401),
    "no sign-in": ({"nonce": None}, 401),
    "too late": ({"exp": int(time.time()) - 600}, 401),
    "without an end": ({"exp": None}, 401),
    "of the future": ({"iat": int(time.time()) + 6_000}, 401),
    "nobody": ({"sub": None}, 401),
    "of no group": ({"groups": []}, 403),
    "without groups": ({"groups": None}, 403),
    "of a group by another type": ({"groups": {"shop": True}}, 403),
    "of an unknown group": ({"groups": ["strangers"]}, 403),
}


@pytest.mark.parametrize("what", WRONG)
async def test_claims_that_do_not_hold_open_nothing(
    guarded: Node, browser: httpx.AsyncClient, issuer: Issuer, what: str
) -> None:
    issuer.claims, status = WRONG[what]
    answer = await sign_in(browser, issuer)
    assert answer.status_code == status, answer.text
    assert "allotment_session" not in browser.cookies
    assert guarded.store.tokens() == ()


async def test_a_signature_that_is_not_the_providers_opens_nothing(
    browser: httpx.AsyncClient, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    issuer.shown_key = RSAKey.generate_key(2048)
    assert (await sign_in(browser, issuer)).status_code == 401
    issuer.shown_key = None

    def signed(algorithm: str) -> Callable[..., str]:
        """A token by the public key as if it were a secret, or by nothing at all."""

        def sign(header: dict[str, str], claims: dict[str, Any], key: RSAKey) -> str:
            head = {"alg": algorithm, "kid": header["kid"]}
            text = b".".join(_base64(json.dumps(part).encode()) for part in (head, claims))
            mac = hmac.digest(key.as_pem(private=False), text, "sha256")
            return b".".join([text, _base64(mac) if algorithm == "HS256" else b""]).decode()

        return sign

    for algorithm in ("HS256", "none"):
        monkeypatch.setattr(jwt, "encode", signed(algorithm))
        assert (await sign_in(browser, issuer)).status_code == 401, algorithm
    monkeypatch.undo()
    assert (await sign_in(browser, issuer)).status_code == 200


def _base64(text: bytes) -> bytes:
    return base64.urlsafe_b64encode(text).rstrip(b"=")


async def test_keys_that_changed_are_asked_for_again(
    browser: httpx.AsyncClient, issuer: Issuer
) -> None:
    assert (await sign_in(browser, issuer)).status_code == 200
    issuer.key = RSAKey.generate_key(2048)
    assert (await sign_in(browser, issuer)).status_code == 200
    assert issuer.asked.count("/keys") == 2
    assert issuer.asked.count("/.well-known/openid-configuration") == 1


async def test_what_was_not_begun_here_is_refused(
    guarded: Node, settings: Settings, browser: httpx.AsyncClient, issuer: Issuer
) -> None:
    begun = await browser.get("/console/sign-in/openid")
    back = issuer.back(begun.headers["location"])
    async with calling(guarded, settings) as other:
        assert (await other.get(back)).status_code == 401
    assert (await browser.get(back.replace("state=", "state=x"))).status_code == 401
    assert (await browser.get(f"{back.partition('?')[0]}?error=denied")).status_code == 401
    assert (await browser.get(back)).status_code == 200
    assert (await browser.get(back)).status_code == 401, "a code is good once"


async def test_a_provider_that_is_away_keeps_no_token_from_signing_in(
    browser: httpx.AsyncClient, issuer: Issuer
) -> None:
    issuer.is_away = True
    answer = await browser.get("/console/sign-in/openid")
    assert answer.status_code == 503
    assert issuer.url not in answer.text
    assert (await browser.get("/console/sign-in")).status_code == 200


@pytest.mark.parametrize("path", ["about", "keys"])
async def test_a_provider_that_says_nothing_of_use_is_as_one_that_is_away(
    browser: httpx.AsyncClient, issuer: Issuer, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = {"about": {"issuer": issuer.url}, "keys": {}}[path]
    monkeypatch.setattr(issuer, path, lambda: said)
    begun = await browser.get("/console/sign-in/openid")
    if path == "keys":
        begun = await browser.get(issuer.back(begun.headers["location"]))
    assert begun.status_code == 503


async def test_without_a_provider_there_is_no_such_way_in(stranger: httpx.AsyncClient) -> None:
    assert (await stranger.get("/console/sign-in/openid")).status_code == 404
    assert (await stranger.get("/console/sign-in/openid/back?code=1")).status_code == 404
    assert "openid" not in (await stranger.get("/console/sign-in")).text


def test_groups_are_read_in_their_order() -> None:
    rules = read_groups(GROUPS)
    assert rules[1] == GroupRule("shop", Scope.WRITE, "default/*")
    assert rule_for(rules, ("other", "shop")) == rules[1]
    assert rule_for(rules, ("none",)) is None
    everyone = read_groups("admins=admin,*=read")
    assert rule_for(everyone, ()) == GroupRule("*", Scope.READ, "*/*")
    assert read_groups("") == ()


@pytest.mark.parametrize(
    "more",
    [
        {"openid_groups": "shop"},
        {"openid_groups": "shop=assign"},
        {"openid_groups": "shop=read:here"},
        {"openid_issuer": "http://login.example"},
        {"openid_issuer": "login.example"},
        {"openid_hours": 0},
        {"openid_issuer": "https://login.example", "openid_groups": "*=read"},
        {"openid_issuer": "https://login.example", "openid_client": "console"},
    ],
)
def test_a_setting_that_says_nothing_clear_is_refused(more: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        Settings(**more)
