"""Signing in by OpenID Connect: a person becomes a token of their own, which ends in some hours.

A token is what every door of the server knows: the journal names the person by it, it reaches what
their group may, any node takes it, and signing out revokes it.
"""

from __future__ import annotations

import hmac
import json
import secrets
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from allotment.errors import Forbidden, Overloaded, StoreError, Unauthorized
from allotment.server.api.route import Query
from allotment.server.auth.new_token import minted
from allotment.server.auth.openid_groups import read_groups, rule_for
from allotment.server.console.page import html
from allotment.server.console.route import PageRoute, SignInQuery, moved, wanted_page
from allotment.server.console.session import SESSION, at_of, cookie, is_encrypted
from allotment.server.http.answer import respond
from allotment.server.http.refusals import NoSuchPath
from allotment.server.http.requests import header
from allotment.server.settings import Settings
from allotment.server.writes.change import node_of
from allotment.store import Scope

if TYPE_CHECKING:
    from allotment.server.console.provider import Provider

router: Final = APIRouter(route_class=PageRoute)

BY_OPENID: Final = "openid "
_FLOW: Final = "allotment_openid"
_HOUR: Final = 3_600_000


@router.get("/sign-in/openid")
async def get_openid(
    request: Request, query: Annotated[SignInQuery, Query(SignInQuery)]
) -> Response:
    """Send the browser to the provider."""
    provider = _provider(request)
    flow = {
        "state": secrets.token_urlsafe(24),
        "nonce": secrets.token_urlsafe(24),
        "verifier": secrets.token_urlsafe(48),
        "next": wanted_page(request, query.next),
    }
    address = await node_of(request).outside(
        provider.address, _redirect(request), flow["state"], flow["nonce"], flow["verifier"]
    )
    held = urlsafe_b64encode(json.dumps(flow).encode()).decode().rstrip("=")
    # Lax: the provider's page sends the browser back, and the cookie has to come with it.
    return moved(address, cookie(request, _FLOW, held, same_site="Lax; Max-Age=600"))


@router.get("/sign-in/openid/back")
async def get_back(request: Request) -> Response:
    """The browser comes back with a code; providers add parameters of their own."""
    provider, flow = _provider(request), _flow(request)
    state, code = (request.query_params.get(each, "") for each in ("state", "code"))
    if not code or not hmac.compare_digest(state.encode(), flow["state"].encode()):
        raise Unauthorized("this is no answer to a sign-in that was begun here: begin again")
    person = await node_of(request).outside(
        provider.person, code, _redirect(request), flow["nonce"], flow["verifier"]
    )
    settings: Settings = request.app.state.settings
    rule = rule_for(read_groups(settings.openid_groups), person.groups)
    if rule is None:
        raise Forbidden(f"{person.name} is in no group that may see the console")
    now = round(time.time() * 1000)
    token, text = minted(
        rule.scope,
        rule.spaces,
        person.name,
        secret=secrets.token_urlsafe(32),
        now=now,
        who=f"{BY_OPENID}{person.subject}"[:200],
        expires_at=now + round(settings.openid_hours * _HOUR),
    )
    node = node_of(request)
    store = node.store
    await node.change_tokens(lambda: store.add_token(token))
    # A page, not a redirect: a strict cookie is sent with what our own page asks for.
    headers = (cookie(request, SESSION, text), cookie(request, _FLOW, ""))
    to = wanted_page(request, flow["next"])
    return respond(
        html(
            "signed_in.html",
            200,
            headers,
            at=at_of(request),
            visitor=None,
            again=to,
            name=person.name,
        )
    )


async def end_session(request: Request) -> None:
    """Revoke the token of a session that was begun here; one that a person brought still holds."""
    if not getattr(request.state, "by_cookie", False):
        return
    node = node_of(request)
    try:
        authorization = header(request.scope["headers"], b"authorization")
        who = node.access.caller(authorization, None, Scope.READ).who
        store = node.store
        known = {each.id: each for each in await node.run(store.tokens)}
        if who in known and known[who].created_by.startswith(BY_OPENID):
            now = datetime.now(UTC)
            await node.change_tokens(lambda: store.revoke_token(who, now, who=who))
    except (Unauthorized, Forbidden, StoreError, Overloaded):
        return  # it ends by itself, if it has not yet


def provider_of(settings: Settings) -> Provider | None:
    """The provider that the settings name, if they do; raises MissingExtra without the extra."""
    if not settings.openid_issuer:
        return None
    from allotment.server.console.provider import Provider  # noqa: PLC0415  # an optional extra

    secret, claim = settings.openid_secret, settings.openid_claim
    return Provider(settings.openid_issuer, settings.openid_client, secret, claim)


def _provider(request: Request) -> Provider:
    provider: Provider | None = request.app.state.provider
    if provider is None:
        raise NoSuchPath
    return provider


def _redirect(request: Request) -> str:
    scheme = "https" if is_encrypted(request) else "http"
    return f"{scheme}://{request.url.netloc}{at_of(request)}/sign-in/openid/back"


def _flow(request: Request) -> Mapping[str, str]:
    held = request.cookies.get(_FLOW, "")
    try:
        flow = json.loads(urlsafe_b64decode(held + "=" * (-len(held) % 4)))
    except ValueError:
        flow = None
    names = ("state", "nonce", "verifier", "next")
    if not isinstance(flow, dict) or not all(isinstance(flow.get(each), str) for each in names):
        raise Unauthorized("this sign-in was not begun in this browser, or too long ago")
    return flow
