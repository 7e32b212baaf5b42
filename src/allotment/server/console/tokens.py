"""The page of tokens: who may call; made here, shown once, and revoked."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from allotment.dialects.wire.model import read
from allotment.errors import AllotmentError, Forbidden, InvalidInput, NotFound
from allotment.model.number import read_whole
from allotment.server.console.route import (
    Form,
    Governing,
    PageRoute,
    moved,
    no_query,
    unspaced,
)
from allotment.server.console.session import Visitor, at_of
from allotment.server.console.words import moment
from allotment.server.native.tokens import TokenBody, made, revoked, within_reach
from allotment.server.writes.change import node_of
from allotment.store import Scope, Token

router: Final = APIRouter(route_class=PageRoute)


@dataclass(frozen=True, slots=True)
class TokenLine:
    """A token, whether it holds at all, and until when or why it does not."""

    token: Token
    holds: bool
    until: str
    made: str


@router.get("/tokens", dependencies=[Depends(no_query)])
async def get_tokens(request: Request, visitor: Governing) -> Response:
    """The list, and the form to make one."""
    return await _page(request, visitor, {})


@router.post("/tokens", dependencies=[Depends(no_query)])
async def post_token(request: Request, visitor: Governing, form: Form) -> Response:
    """Make a token, and show its text this once."""
    try:
        token, text = await made(node_of(request), visitor.caller, read_body(form))
    except (InvalidInput, Forbidden) as fault:
        return await _page(request, visitor, form, fault=fault)
    return await _page(request, visitor, {}, fresh=(token, text))


@router.get("/tokens/{id}/revoke", dependencies=[Depends(no_query)])
async def get_revoking(request: Request, visitor: Governing) -> Response:
    """The question whether to."""
    token_id = request.path_params["id"]
    known = await within_reach(node_of(request), visitor.caller)
    asked = [each for each in known if each.id == token_id]
    if not asked:
        raise NotFound("there is no token of that id")
    own = token_id == visitor.caller.who
    return await unspaced(request, visitor, "revoke.html", {"token": asked[0], "own": own})


@router.post("/tokens/{id}/revoke", dependencies=[Depends(no_query)])
async def post_revoking(request: Request, visitor: Governing, _form: Form) -> Response:
    """Revoke a token."""
    await revoked(node_of(request), visitor.caller, request.path_params["id"])
    return moved(f"{at_of(request)}/tokens")


async def _page(
    request: Request,
    visitor: Visitor,
    form: Mapping[str, str],
    fault: AllotmentError | None = None,
    fresh: tuple[Token, str] | None = None,
) -> Response:
    tokens = await within_reach(node_of(request), visitor.caller)
    page: dict[str, Any] = {
        "tokens": token_lines(tokens, round(time.time() * 1000)),
        "scopes": list(Scope),
        "form": form,
        "fault": fault,
        "fresh": fresh,
    }
    status = 200 if fault is None else fault.status_hint
    return await unspaced(request, visitor, "tokens.html", page, status)


def read_body(form: Mapping[str, str]) -> TokenBody:
    """What a form asks for; a field that is empty says nothing."""
    said: dict[str, Any] = {name: text.strip() for name, text in form.items() if text.strip()}
    if "days" in said:
        days = read_whole(str(said["days"]))
        if days is None:
            raise InvalidInput("a whole number of days belongs here", "$.days")
        said["days"] = days
    return read(TokenBody, said)


def token_lines(tokens: Sequence[Token], now: int) -> tuple[TokenLine, ...]:
    """The tokens: those that hold first, then the newest first; `now` is in milliseconds."""
    lines = [_line(each, now) for each in tokens]
    lines.sort(key=lambda each: (not each.holds, -each.token.created_at, each.token.id))
    return tuple(lines)


def _line(token: Token, now: int) -> TokenLine:
    made_at = moment(token.created_at)
    if token.revoked_at is not None:
        return TokenLine(token, False, f"revoked {moment(token.revoked_at)}", made_at)
    if token.expires_at is None:
        return TokenLine(token, True, "for ever", made_at)
    if token.expires_at <= now:
        return TokenLine(token, False, f"expired {moment(token.expires_at)}", made_at)
    return TokenLine(token, True, f"until {moment(token.expires_at)}", made_at)
