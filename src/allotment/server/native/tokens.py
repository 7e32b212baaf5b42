"""`/v1/tokens`: who may call, how far, and for how long."""

from __future__ import annotations

import logging
import re
import secrets
import time
from datetime import UTC, datetime
from typing import Any, Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from allotment.errors import InvalidInput, NotFound
from allotment.model.instant import show_instant
from allotment.server.access import check_reach, reaches
from allotment.server.answer import Answer, as_json, respond
from allotment.server.caller import Caller
from allotment.server.conditional import authenticated, node_of, tree_of
from allotment.server.minted import minted
from allotment.server.native.fields import fields_of, text, whole
from allotment.server.operation import closed, in_path, operation, ref, spelled
from allotment.server.requests import query_of
from allotment.store import Scope, Token

log = logging.getLogger(__name__)

router: Final = APIRouter()

_PART: Final = "[A-Za-z0-9][A-Za-z0-9._-]{0,255}"
_PATTERN: Final = re.compile(rf"({_PART}|\*)/({_PART}|\*)\Z")
_DAYS_MAX: Final = 36_500
_DAY: Final = 24 * 60 * 60 * 1000


@router.get(
    "/v1/tokens",
    response_class=Response,
    operation_id="list_tokens",
    openapi_extra=operation(
        "List the tokens",
        Scope.ADMIN,
        {200: closed({"tokens": {"type": "array", "items": ref("Token")}})},
        description="Those for spaces that the caller's own token reaches; never their text.",
        spaced=False,
    ),
)
async def list_tokens(request: Request) -> Response:
    """All tokens, also those that hold no longer."""
    query_of(request)
    caller = authenticated(request, Scope.ADMIN)
    node = node_of(request)
    tokens = await node.run(node.store.tokens)
    shown = [_show(token) for token in tokens if reaches(caller.reach, token.space)]
    return respond(as_json({"tokens": shown}))


@router.post(
    "/v1/tokens",
    response_class=Response,
    status_code=201,
    operation_id="create_token",
    openapi_extra=operation(
        "Make a token",
        Scope.ADMIN,
        {201: ref("NewToken")},
        description="Its text is in this answer and nowhere else: only its digest is kept.",
        body=closed(
            {
                "scope": ref("scope"),
                "space": ref("spacePattern"),
                "name": {"type": "string", "maxLength": 1024, "description": "What you call it."},
                "days": {
                    "type": ["integer", "null"],
                    "minimum": 1,
                    "maximum": _DAYS_MAX,
                    "description": "After how many days it expires; null for never.",
                },
            },
            "space",
            "name",
            "days",
        ),
        changes=True,
        spaced=False,
    ),
)
async def create_token(request: Request) -> Response:
    """Make a token; this process honours it by the time that is answered."""
    query_of(request)
    caller = authenticated(request, Scope.ADMIN)
    fields = fields_of(await tree_of(request), ("scope", "space", "name", "days"))
    scope = text(fields, "scope")
    if scope not in tuple(Scope):
        raise InvalidInput(f"a scope is one of {', '.join(Scope)}", "$.scope")
    space = text(fields, "space", caller.space)
    if not _PATTERN.match(space):
        raise InvalidInput('this is PROJECT/ENVIRONMENT, where either may be "*"', "$.space")
    check_reach(caller.reach, (space,), "$.space")
    days = whole(fields, "days", 1, _DAYS_MAX)
    now = round(time.time() * 1000)
    token, secret = minted(
        Scope(scope),
        space,
        text(fields, "name", ""),
        secret=secrets.token_urlsafe(32),
        now=now,
        expires_at=None if days is None else now + days * _DAY,
    )
    node = node_of(request)
    store = node.store
    await node.change_tokens(lambda: store.add_token(token))
    _log("a token is made", token, caller)
    shown = {**_show(token), "token": secret}
    return respond(as_json(shown, 201, headers=(("cache-control", "no-store"),)))


@router.delete(
    "/v1/tokens/{id}",
    response_class=Response,
    status_code=204,
    operation_id="revoke_token",
    openapi_extra=operation(
        "Revoke a token",
        Scope.ADMIN,
        {204: None},
        parameters=(in_path("id", spelled("key"), "The token's id, as the list has it."),),
        changes=True,
        spaced=False,
    ),
)
async def revoke_token(request: Request) -> Response:
    """End a token, on every node within a moment."""
    query_of(request)
    caller = authenticated(request, Scope.ADMIN)
    node = node_of(request)
    store = node.store
    token_id = request.path_params["id"]

    def revoke() -> Token:
        known = {token.id: token for token in store.tokens()}
        if token_id not in known or not reaches(caller.reach, known[token_id].space):
            raise NotFound("there is no token of that id")
        store.revoke_token(token_id, datetime.now(UTC))
        return known[token_id]

    _log("a token is revoked", await node.change_tokens(revoke), caller)
    return respond(Answer(204, (), b""))


def _log(event: str, token: Token, caller: Caller) -> None:
    log.info(event, extra={"fields": {**token.about, "by": caller.who}})


def _show(token: Token) -> dict[str, Any]:
    return {
        "id": token.id,
        "scope": str(token.scope),
        "space": token.space,
        "name": token.name,
        "created_at": show_instant(token.created_at),
        "expires_at": None if token.expires_at is None else show_instant(token.expires_at),
        "revoked_at": None if token.revoked_at is None else show_instant(token.revoked_at),
    }
