"""`/v1/tokens`: who may call, how far, and for how long."""

from __future__ import annotations

import re
import secrets
import time
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path
from pydantic import AfterValidator, Field
from starlette.requests import Request
from starlette.responses import Response

from allotment.dialects.wire.model import LEFT_OUT, Body, Maybe, Model
from allotment.errors import NotFound
from allotment.model.instant import show_instant
from allotment.server.api.fields import PART, Moment
from allotment.server.api.operation import spelled
from allotment.server.api.route import Admin, Json, Route
from allotment.server.auth.access import Caller, check_reach, reaches
from allotment.server.auth.new_token import minted
from allotment.server.http.answer import Answer, as_json, respond
from allotment.server.sync.node import Node
from allotment.server.writes.change import node_of
from allotment.store import Scope
from allotment.store import Token as StoredToken

router: Final = APIRouter(route_class=Route, tags=["native"])

_PATTERN: Final = rf"({PART}|\*)/({PART}|\*)"
_DAYS_MAX: Final = 36_500
_DAY: Final = 24 * 60 * 60 * 1000


def _pattern(space: str) -> str:
    if not re.fullmatch(_PATTERN, space):
        raise ValueError('this is PROJECT/ENVIRONMENT, where either may be "*"')
    return space


SpacePattern = Annotated[
    str, AfterValidator(_pattern), Field(json_schema_extra={"pattern": f"^{_PATTERN}$"})
]


class Token(Model):
    """What is known of a token, of which only the digest is stored."""

    id: str
    scope: Scope
    space: SpacePattern
    name: str
    created_at: Moment
    expires_at: Moment | None
    revoked_at: Moment | None
    created_by: Annotated[str, Field(description='Who made it; "" if that is not known.')]
    revoked_by: Annotated[
        str, Field(description='Who revoked it; "" if it holds, or if that is not known.')
    ]


class NewToken(Token):
    """A token with its text."""

    token: Annotated[str, Field(description="Its text, shown this once.")]


class Tokens(Model):
    """Tokens, the oldest first."""

    tokens: list[Token]


class TokenBody(Body):
    """What a token is to be."""

    scope: Annotated[Scope, Field(strict=False)]
    space: Maybe[SpacePattern] = LEFT_OUT
    name: Maybe[Annotated[str, Field(max_length=1024, description="What you call it.")]] = LEFT_OUT
    days: Annotated[
        int | None,
        Field(ge=1, le=_DAYS_MAX, description="After how many days it expires; null for never."),
    ] = None


@router.get("/v1/tokens", summary="List the tokens", response_model=Tokens)
async def list_tokens(request: Request, caller: Admin) -> Response:
    """Those for spaces that the caller's own token reaches; never their text."""
    tokens = await within_reach(node_of(request), caller)
    return respond(as_json(Tokens(tokens=[Token(**_fields(token)) for token in tokens])))


@router.post("/v1/tokens", status_code=201, summary="Make a token", response_model=NewToken)
async def create_token(
    request: Request, caller: Admin, body: Annotated[TokenBody, Json(TokenBody)]
) -> Response:
    """Its text is in this answer and nowhere else: only its digest is kept."""
    token, text = await made(node_of(request), caller, body)
    shown = NewToken(**_fields(token), token=text)
    return respond(as_json(shown, 201, headers=(("cache-control", "no-store"),)))


@router.delete(
    "/v1/tokens/{id}", status_code=204, summary="Revoke a token", response_class=Response
)
async def revoke_token(
    request: Request,
    caller: Admin,
    token_id: Annotated[
        str,
        Path(
            alias="id",
            description="The token's id, as the list has it.",
            json_schema_extra=spelled("key"),
        ),
    ],
) -> Response:
    """End a token, on every node within a moment."""
    await revoked(node_of(request), caller, token_id)
    return respond(Answer(204, (), b""))


async def within_reach(node: Node, caller: Caller) -> list[StoredToken]:
    """The tokens for spaces that the caller's own token reaches, the oldest first."""
    tokens = await node.run(node.store.tokens)
    return [token for token in tokens if reaches(caller.reach, token.space)]


async def made(node: Node, caller: Caller, body: TokenBody) -> tuple[StoredToken, str]:
    """A new token and its text; raises Forbidden where the caller's own does not reach as far."""
    space = caller.space if body.space is None else body.space
    check_reach(caller.reach, (space,), "$.space")
    now = round(time.time() * 1000)
    token, text = minted(
        body.scope,
        space,
        body.name or "",
        secret=secrets.token_urlsafe(32),
        now=now,
        who=caller.who,
        expires_at=None if body.days is None else now + body.days * _DAY,
    )
    store = node.store
    await node.change_tokens(lambda: store.add_token(token))
    return token, text


async def revoked(node: Node, caller: Caller, token_id: str) -> None:
    """End a token; raises NotFound where there is none of that id within the caller's reach."""
    store = node.store

    def revoke() -> None:
        known = {token.id: token for token in store.tokens()}
        if token_id not in known or not reaches(caller.reach, known[token_id].space):
            raise NotFound("there is no token of that id")
        store.revoke_token(token_id, datetime.now(UTC), who=caller.who)

    await node.change_tokens(revoke)


def _fields(token: StoredToken) -> dict[str, Any]:
    times = ("created_at", "expires_at", "revoked_at")
    return {
        "id": token.id,
        "scope": token.scope,
        "space": token.space,
        "name": token.name,
        **{each: _moment(getattr(token, each)) for each in times},
        "created_by": token.created_by,
        "revoked_by": token.revoked_by,
    }


def _moment(when: int | None) -> str | None:
    return None if when is None else show_instant(when)
