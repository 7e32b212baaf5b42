"""Who looks at a page: a token in a cookie, which goes through the door that every caller does.

A browser sends a cookie no matter which page asked it to, so each form holds a token that only our
pages know: it is made of a secret in a second cookie and of the session.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import Request

from allotment.errors import Forbidden, InvalidInput, Unauthorized
from allotment.server.auth.access import SPACE_NAME, Caller
from allotment.server.http.refusals import NoSuchPath, UnsupportedMedia
from allotment.server.http.requests import body_of, header, media_of
from allotment.server.writes.change import admit, authenticated, node_of
from allotment.store import Scope

SESSION: Final = "allotment_session"
FORM: Final = "allotment_form"

_FORM_BYTES_MAX: Final = 1 << 20
_FIELDS_MAX: Final = 1_000
_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/=-]{1,512}\Z")
_SPACE: Final = re.compile(SPACE_NAME[1:-1] + r"\Z")


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who looks at a page.

    caller     whose token it is; of a page of one space, with that space
    form       what every form of the page has to hold
    signed_in  whether it is by a cookie, which signing out ends
    """

    caller: Caller
    form: str
    signed_in: bool

    @property
    def name(self) -> str:
        """The token's name, or else its id."""
        return self.caller.name or self.caller.who

    def may(self, scope: str) -> bool:
        """Whether the token's scope covers this one: what it does not is not offered."""
        return self.caller.scope.covers(Scope(scope))


def at_of(request: Request) -> str:
    """The path where the console begins."""
    at: str = request.app.state.settings.console_path
    return at


def take_cookie(request: Request) -> None:
    """Put the session's token where callers have theirs, unless the caller has one there.

    From here on a page is admitted as any other request is.
    """
    scope = request.scope
    token = request.cookies.get(SESSION)
    if token and header(scope["headers"], b"authorization") is None:
        scope["headers"] = [*scope["headers"], (b"authorization", _bearer(token))]
        request.state.by_cookie = True


def _bearer(token: str) -> bytes:
    return b"Bearer " + token.encode("latin-1", "replace")


async def visitor_of(request: Request, needs: Scope) -> Visitor:
    """Who looks at a page, of the space that its path names where it names one.

    Raises what `admit` raises.
    """
    named = request.path_params
    if "project" in named:
        space = f"{named['project']}/{named['environment']}"
        if not _SPACE.match(space):
            raise NoSuchPath
        caller = await admit(request, needs, space)
    else:
        caller = authenticated(request, needs)
    return Visitor(caller, form_token(request), getattr(request.state, "by_cookie", False))


def form_token(request: Request) -> str:
    """What every form of this session has to hold."""
    secret = request.cookies.get(FORM, "")
    if not _TOKEN.match(secret):
        if not hasattr(request.state, "fresh_form"):
            request.state.fresh_form = secrets.token_urlsafe(24)
        secret = request.state.fresh_form
    session = header(request.scope["headers"], b"authorization") or b""
    return hmac.digest(secret.encode(), session, "sha256").hex()


async def form_of(request: Request) -> Mapping[str, str]:
    """The fields of a form that was sent from one of our pages, each given once.

    Raises Forbidden for one that does not hold the session's token, InvalidInput for what cannot be
    read.
    """
    if media_of(request).kind != "application/x-www-form-urlencoded":
        raise UnsupportedMedia("a form is sent as a browser sends it", "headers.Content-Type")
    body = await body_of(request, _FORM_BYTES_MAX)
    try:
        pairs = parse_qsl(
            bytes(body).decode(),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_FIELDS_MAX,
        )
    except ValueError:
        raise InvalidInput("this is no form in UTF-8") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise InvalidInput("a field of the form is given twice")
    held = fields.pop("form", "")
    if not hmac.compare_digest(held.encode(), form_token(request).encode()):
        raise Forbidden("this form is not of this session: open the page again, then send it")
    return fields


def sign_in(request: Request, token: str) -> None:
    """Check that a token opens pages; raises Unauthorized or Forbidden."""
    if not _TOKEN.match(token):
        raise Unauthorized("this token is not known")
    node_of(request).access.caller(_bearer(token), None, Scope.READ)


def cookie(request: Request, name: str, value: str, same_site: str = "Strict") -> tuple[str, str]:
    """The header that sets a cookie of the console, or with no value ends it."""
    ends = "" if value else "; Max-Age=0"
    secure = "; Secure" if is_encrypted(request) else ""
    kept = f"Path={at_of(request)}; HttpOnly; SameSite={same_site}{secure}{ends}"
    return ("set-cookie", f"{name}={value}; {kept}")


def is_encrypted(request: Request) -> bool:
    """Whether the browser speaks TLS, to us or to the proxy before us.

    A header that is made up only takes the cookie from the one who made it up.
    """
    said = request.headers.get("x-forwarded-proto", "").strip().lower()
    forwarded = request.headers.get("forwarded", "").lower()
    return "https" in (request.url.scheme, said) or "proto=https" in forwarded
